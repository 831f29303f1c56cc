/** What is wrong with one part of a definition, as the end of a sentence; `defineModel` says where and throws it as a UsageError. */
export class DefinitionFault extends Error {}
