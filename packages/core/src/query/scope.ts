import type { AnyModel } from '../model/model.ts'
import type { CallerContext } from '../session/context.ts'
import { everything, type Filter } from './filter.ts'

/**
 * The condition under which records of a model exist for the caller at all. Every statement passes through here,
 * reads included, so that permissions and tenancy have one place to stand.
 */
export function scope(_model: AnyModel, _caller: CallerContext | undefined): Filter {
  return everything
}
