import type { AnyModel } from '../model/model.ts'
import type { IdOf } from '../model/row-types.ts'
import type { ReadOptions } from '../session/options.ts'
import type { FindOptions, PageOptions } from './find-options.ts'
import { HistoricAccessor, insides } from './historic-accessor.ts'
import { type JsonPage, pageJson } from './json-page.ts'
import { getJson, type JsonRecord } from './json-record.ts'
import type { FieldNames } from './selected.ts'
import { type WirePage, wirePage } from './wire-page.ts'

/** The part of an accessor that reads records as they travel in JSON, without secrets: for whoever answers requests. */
export abstract class WireAccessor<Model extends AnyModel> extends HistoricAccessor<Model> {
  /**
   * The same page as `page` reads, with records as they travel in JSON. Long lists take half of the time.
   * @example
   * const { rows } = await users.wirePage({ limit: 100 })
   * response.end(JSON.stringify(rows))
   */
  async wirePage(options: Omit<PageOptions<Model>, 'fields'> & { readonly fields?: FieldNames<Model> } = {}): Promise<WirePage> {
    return wirePage(this[insides](), options)
  }

  /**
   * The same page as JSON text. SQLite writes it by itself where all fields are text, integers, decimals, booleans, dates and instants: a list takes less
   * than half of the time.
   * @example
   * const { text, total } = await users.pageJson({ limit: 100 })
   * response.setHeader('X-Total-Count', String(total)).end(text)
   */
  async pageJson(options: Omit<PageOptions<Model>, 'fields'> & { readonly fields?: FieldNames<Model> } = {}): Promise<JsonPage> {
    return pageJson(this[insides](), options)
  }

  /**
   * The record with this id as JSON text, with its version, or null where `get` answers null.
   * @example
   * const found = await users.getJson(7)
   * if (found) response.setHeader('ETag', `"${found.version}"`).end(found.text)
   */
  async getJson(
    id: IdOf<Model>,
    options: Pick<FindOptions<Model>, 'includeDeleted' | 'where' | keyof ReadOptions> = {},
  ): Promise<JsonRecord | null> {
    return getJson(this[insides](), id, options)
  }
}
