import { vi } from 'vitest'

/** Milliseconds that something is waited for unless a test says otherwise: vitest's own second is short for a machine that is busy. */
const patience = 20_000

const { waitFor } = vi
vi.waitFor = (callback, options = {}) => waitFor(callback, typeof options === 'number' ? options : { timeout: patience, ...options })
