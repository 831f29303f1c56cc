import type { FieldKind } from '../../model/model.ts'

/** A column of an exported table. */
export interface ExportedColumn {
  readonly name: string
  /** What the field holds; its values are written as in JSON. */
  readonly type: FieldKind
  readonly nullable: boolean
  readonly key?: true
  readonly secret?: true
  /** Whoever exported could not read it: every cell is a mark, whatever `secrets` says. */
  readonly masked?: true
  readonly precision?: number
  readonly scale?: number
  readonly references?: { readonly table: string; readonly column: string }
}

/** A file of an export. */
export interface ExportedFile {
  readonly file: string
  readonly table: string
  /** The accessor's name, or null for a table of the library's own. */
  readonly component: string | null
  readonly rows: number
  /** Of the file, not compressed. */
  readonly bytes: number
  /** Of the file, in hexadecimal. */
  readonly sha256: string
  readonly columns: readonly ExportedColumn[]
}

/** What an export holds; it stands in it as `manifest.json`, its last file. */
export interface ExportManifest {
  readonly format: 'strongroom-export'
  readonly version: 1
  /** When the snapshot was taken, RFC 3339 in UTC. */
  readonly created_at: string
  /** Whether secret fields have their values, or a mark. */
  readonly secrets: 'mask' | 'include'
  /** Cells that a spreadsheet would run begin with an apostrophe: not to be imported. */
  readonly spreadsheet: boolean
  readonly files: readonly ExportedFile[]
}

export const manifestName = 'manifest.json'
