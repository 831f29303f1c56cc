import { describe, expect, test } from 'vitest'
import type { DialectSetting } from '../../src/dialects/dialect.ts'
import { type DialectName, translateQuery } from '../../src/dialects/translate.ts'

const setting: DialectSetting = {
  fields: ['id', 'name', 'age', 'role', 'visits'],
  includes: ['owner', 'products'],
  id: 'id',
  defaultLimit: 3,
  maxLimit: 10,
}

function translate(dialect: DialectName, query: string, more: Partial<DialectSetting> = {}, of: 'list' | 'get' = 'list'): string {
  return decodeURIComponent(translateQuery([dialect], of, query, { ...setting, ...more }))
}

describe('simple-rest', () => {
  test.each([
    ['sort=["name","ASC"]', 'sort=name'],
    ['sort=["name","desc"]&range=[20,29]', 'sort=-name&offset=20&limit=10'],
    ['range=[0,0]', 'offset=0&limit=1'],
    ['filter={}', ''],
    ['filter={"name":"a b","age":3}', 'name[eq]=a b&age[eq]=3'],
    ['filter={"id":[1,2]}', 'id[in]=1,2'],
    ['filter={"id":[1,2,3,4]}', 'id[in]=1,2,3,4&limit=4'],
    ['filter={"id":[1,2,3,4]}&range=[0,1]', 'id[in]=1,2,3,4&offset=0&limit=2'],
    ['filter={"id":[]}', 'id[in]='],
    ['filter={"name_ne":["a","b,c"]}', 'name[not_in]=a,"b,c"'],
    ['filter={"name_startsWith":"a","role_endswith":"b","age_in":[1,2]}', 'name[istarts_with]=a&role[iends_with]=b&age[in]=1,2'],
    ['filter={"name":null,"age_ne":null}', 'name[is_null]=true&age[is_null]=false'],
    ['filter={"visits":9007199254740993}', 'visits[eq]=9007199254740993'],
    ['embed="owner"', 'include=owner'],
    ['embed=["owner","products"]', 'include=owner,products'],
    ['fields=name&filter={"age_gt":1}', 'fields=name&age[gt]=1'],
    ['sort=-name&limit=2', 'sort=-name&limit=2'],
  ])('%s is %s', (query, ours) => {
    expect(translate('simple-rest', query)).toBe(ours)
  })

  test.each([
    ['sort=["name"]', /is no order/],
    ['sort=["name","up"]', /is no order/],
    ['sort=["-name","ASC"]', /"-name" in sort is no field/],
    ['sort=[', /sort is not JSON/],
    ['range=[0]', /is no range/],
    ['range=["0","9"]', /is no range/],
    ['range=[-1,9]', /is no range/],
    ['range=[9,0]', /range is an empty page/],
    ['range=[0,10]', /range is a page of 11 records, and a page may have 10/],
    ['range=[0,1]&range=[0,1]', /range is given twice/],
    ['filter=[1]', /filter is a JSON object/],
    ['filter={"q":"li"}', /q is no field/],
    ['filter={"name":{"first":"a"}}', /"name" in filter is compared with/],
    ['filter={"name":["a",null]}', /"name" in filter is compared with/],
    ['filter={"age_gte":[1,2]}', /"age_gte" in filter is compared with one value/],
    ['filter={"age_gte":null}', /"age_gte" in filter/],
    ['filter={"id":[1,2,3,4,5,6,7,8,9,10,11]}', /lists 11 values of id, and a page may have 10/],
    ['embed="boss"', /"boss" in embed is none that there is. There are: owner, products/],
    ['embed=1', /embed is a name/],
  ])('%s is refused', (query, sentence) => {
    expect(() => translate('simple-rest', query)).toThrow(sentence)
  })

  test('fields called like its words are fields', () => {
    const fields = [...setting.fields, 'range', 'filter', 'embed', 'age_gte', 'q']
    const query = 'range=[0,1]&filter={}&embed="x"'
    expect(translate('simple-rest', query, { fields })).toBe(query)
    expect(translate('simple-rest', 'filter={"age_gte":1,"q":"x"}', { fields: [...setting.fields, 'age_gte', 'q'] })).toBe(
      'age_gte[eq]=1&q[eq]=x',
    )
  })

  test('one record can be read along with others', () => {
    expect(translate('simple-rest', 'embed="owner"', {}, 'get')).toBe('include=owner')
    expect(translate('simple-rest', 'filter={}', {}, 'get')).toBe('filter={}')
  })
})

describe('json-server', () => {
  test.each([
    ['_sort=name', 'sort=name'],
    ['_order=DESC,asc&_sort=name,age', 'sort=-name,age'],
    ['_sort=-name,age', 'sort=-name,age'],
    ['_order=asc', ''],
    ['_end=30&_start=20', 'offset=20&limit=10'],
    ['_end=5', 'offset=0&limit=5'],
    ['_start=5', 'offset=5&limit=3'],
    ['_start=5&_limit=2', 'offset=5&limit=2'],
    ['_page=3', 'offset=20&limit=10'],
    ['_page=3&_limit=5', 'offset=10&limit=5'],
    ['_page=2&_per_page=4', 'offset=4&limit=4'],
    ['age_gte=3&name_like=a b', 'age[gte]=3&name[icontains]=a b'],
    ['age:lt=3&name:startsWith=a', 'age[lt]=3&name[istarts_with]=a'],
    ['name_ne=a&name_ne=b,c', 'name[not_in]=a&name[not_in]="b,c"'],
    ['id=1&id=2', 'id=1&id=2'],
    ['id=1&id=2&id=3&id=4', 'id=1&id=2&id=3&id=4&limit=4'],
    ['id=1&id=2&id=3&id=4&limit=2', 'id=1&id=2&id=3&id=4&limit=2'],
    ['id=1&id=1&id=1&id=1', 'id=1&id=1&id=1&id=1'],
    ['name&_sort=id', 'name[is_null]=true&sort=id'],
    ['name_ne&_sort=id', 'name[is_null]=false&sort=id'],
    ['name', 'name'],
    ['_embed=products&_expand=owner', 'include=products&include=owner'],
    ['nobody_gte=1', 'nobody_gte=1'],
  ])('%s is %s', (query, ours) => {
    expect(translate('json-server', query)).toBe(ours)
  })

  test.each([
    ['_start=9&_end=3', /_start and _end is an empty page/],
    ['_start=0&_end=11', /_start and _end is a page of 11 records, and a page may have 10/],
    ['_start=x', /_start is a whole number from 0 on/],
    ['_page=0', /_page is a whole number from 1 on/],
    ['_page=1&_start=0', /say more than one page/],
    ['_limit=1&_per_page=1', /say more than one page/],
    ['_start=0&_start=0', /_start is given twice/],
    ['_sort=name&_order=up', /"up" in _order is no direction/],
    ['_embed=boss', /"boss" in _embed is none that there is/],
    ['q=li', /q is no field/],
    ['id=1&id=2&id=3&id=4&id=5&id=6&id=7&id=8&id=9&id=10&id=11', /lists 11 values of id/],
  ])('%s is refused', (query, sentence) => {
    expect(() => translate('json-server', query)).toThrow(sentence)
  })

  test('fields called like a comparison are fields', () => {
    expect(translate('json-server', 'age_gte=1&q=x', { fields: [...setting.fields, 'age_gte', 'q'] })).toBe('age_gte=1&q=x')
  })

  test('one record can be read along with others', () => {
    expect(translate('json-server', '_embed=products', {}, 'get')).toBe('include=products')
    expect(translate('json-server', '_sort=name', {}, 'get')).toBe('_sort=name')
  })
})

test('text that is no Unicode is refused', () => {
  expect(() => translate('simple-rest', 'filter={"name":"\\ud800"}')).toThrow('not Unicode')
})
