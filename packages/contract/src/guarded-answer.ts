import type { Content, RouteAnswer } from './route.ts'

/** Headers of an answer that is nobody else's. */
export const guarded = ['Cache-Control', 'X-Content-Type-Options', 'X-Request-Id'] as const

/** JSON that is nobody else's. */
export const guardedAnswer = (description: string, content: Content): RouteAnswer => ({
  status: 200,
  description,
  mediaType: 'application/json',
  content,
  headers: guarded,
})
