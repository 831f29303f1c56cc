import { proofParameters, verifyParameters } from './audit-evidence.ts'
import { guardedAnswer } from './guarded-answer.ts'
import { requestIdHeader } from './parameters.ts'
import { queryErrors, type Route } from './route.ts'

/** What a route that proves the audit log does. */
export type EvidenceOperation = 'verifyAudit' | 'auditCheckpoint' | 'auditProof'

/** The routes that prove the audit log, below `/db`. */
export const evidenceRoutes: readonly Route<EvidenceOperation>[] = [
  {
    operation: 'verifyAudit',
    method: 'GET',
    path: '/audit/verify',
    summary: 'Goes through the whole audit log, and names the first entry that is bad',
    description:
      'Of one moment, away from the requests of others; ten to twenty seconds for each million of entries. A fault is a 200 with `ok: false`.',
    parameters: [...verifyParameters, requestIdHeader],
    answers: [guardedAnswer('What came of it.', 'auditVerdict')],
    errors: [...queryErrors, 'forbidden', 'server_busy'],
    writes: false,
  },
  {
    operation: 'auditCheckpoint',
    method: 'GET',
    path: '/audit/checkpoint',
    summary: 'Signs where the audit log stands',
    description: 'To be kept where whoever can write to the database cannot. A server without a key for it answers 409.',
    parameters: [requestIdHeader],
    answers: [guardedAnswer('The checkpoint.', 'checkpoint')],
    errors: [...queryErrors, 'forbidden', 'state_conflict', 'storage_full'],
    writes: false,
  },
  {
    operation: 'auditProof',
    method: 'GET',
    path: '/audit/{id}/proof',
    summary: 'Proves that an entry is in the log that a checkpoint tells of',
    description: 'Whoever has the checkpoint needs nothing else. Waits until the entry is sealed.',
    parameters: [...proofParameters, requestIdHeader],
    answers: [guardedAnswer('The proof.', 'auditProof')],
    errors: [...queryErrors, 'forbidden', 'not_found', 'state_conflict', 'storage_full'],
    writes: false,
  },
]
