/**
 * Node's HTTP module as `require` has it. An `import` reads all of its exports once, and one of them loads Node's whole client for WebSockets and `fetch`: 20 ms of every
 * start, for two constants.
 */
export const { maxHeaderSize, STATUS_CODES } = process.getBuiltinModule('node:http')
