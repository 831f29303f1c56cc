/**
 * What is drawn in which colour. The light ones stand in the DOT and in the picture itself, so that every viewer shows them;
 * a style sheet exchanges them for the dark ones, which is why no two of the light ones may be the same.
 */
export const palette = {
  page: { light: '#ffffff', dark: '#0f141a' },
  card: { light: '#fbfcfe', dark: '#171e27' },
  border: { light: '#8fa3b8', dark: '#42566b' },
  header: { light: '#dbe8f7', dark: '#213a56' },
  systemHeader: { light: '#e9e9ec', dark: '#2c3138' },
  title: { light: '#10304f', dark: '#e6f0fb' },
  ink: { light: '#1d2833', dark: '#d5dee8' },
  type: { light: '#4b5c6d', dark: '#a3b3c3' },
  kept: { light: '#6a7683', dark: '#8896a5' },
  key: { light: '#1f5f99', dark: '#79b8f2' },
  secret: { light: '#a33b2b', dark: '#f09a8b' },
  reference: { light: '#3f6488', dark: '#86a9cc' },
  keptReference: { light: '#aab6c2', dark: '#4b5b6b' },
} as const satisfies Record<string, { readonly light: `#${string}`; readonly dark: `#${string}` }>

export type Paint = keyof typeof palette

/** The rules that make a picture dark for those who like it so. Properties of a style sheet win over attributes. */
export function darkRules(): string {
  return Object.values(palette)
    .map(({ light, dark }) => `[fill="${light}"]{fill:${dark}}[stroke="${light}"]{stroke:${dark}}`)
    .join('')
}
