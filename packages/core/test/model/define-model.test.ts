import { Type } from 'typebox'
import { describe, expect, test } from 'vitest'
import { UsageError } from '../../src/errors.ts'
import { defineModel, defineSystemModel } from '../../src/model/define-model.ts'
import { Bytes, DateTime, Decimal, Default, Int64, Json, Ref } from '../../src/model/field-types.ts'
import type { AnyModel, Field } from '../../src/model/model.ts'

/** Definitions as a program without types could write them. */
const define: (name: unknown, fields: unknown, options?: unknown) => AnyModel = defineModel as never

function fieldOf(model: AnyModel, name: string): Field {
  const field = model.fieldsByName.get(name)
  if (!field) throw new Error(`no field ${name}`)
  return field
}

describe('a definition', () => {
  test('has its columns in order: id, declared fields, stamps, deleted_at, row_version', () => {
    const model = defineModel('users', { name: Type.String(), email: Type.String() }, { stamps: true, softDelete: true })
    expect(model.fields.map((field) => `${field.name} ${field.role} ${field.kind}`)).toEqual([
      'id id integer',
      'name data text',
      'email data text',
      'created_at createdAt datetime',
      'updated_at updatedAt datetime',
      'created_by createdBy text',
      'updated_by updatedBy text',
      'deleted_at deletedAt datetime',
      'row_version rowVersion text',
    ])
    expect(model.fields.filter((field) => field.hidden).map((field) => field.name)).toEqual(['row_version'])
    expect(model.schemaVersion).toBe(1)
  })

  test('without options has a counted id and the hidden row_version, and nothing else', () => {
    const model = defineModel('tags', { name: Type.String() })
    expect(model.fields.map((field) => field.name)).toEqual(['id', 'name', 'row_version'])
    expect(model).toMatchObject({ idType: 'integer', stamps: undefined, deletedAt: undefined, unique: [], indexes: [] })
  })

  test('never changes afterwards', () => {
    const model = defineModel('tags', { name: Type.String() })
    expect(Object.isFrozen(model) && Object.isFrozen(model.fields) && model.fields.every((field) => Object.isFrozen(field))).toBe(true)
  })

  test('tells which fields are optional, nullable, defaulted, secret, readOnly and immutable', () => {
    const model = defineModel(
      'things',
      {
        required: Type.String(),
        optional: Type.Optional(Type.String()),
        stated: Type.Union([Type.String(), Type.Null()]),
        defaulted: Default(Type.Integer(), 5),
        both: Default(Type.Optional(Type.Integer()), 6),
        turned: Type.Optional(Default(Type.Integer(), 7)),
      },
      { secret: ['required'], readOnly: ['optional'], immutable: ['stated'] },
    )
    const about = ['required', 'optional', 'stated', 'defaulted', 'both', 'turned'].map((name) => {
      const { nullable, optional, makeDefault, secret, readOnly, immutable } = fieldOf(model, name)
      return [name, nullable, optional, makeDefault?.(), secret, readOnly, immutable]
    })
    expect(about).toEqual([
      ['required', false, false, undefined, true, false, false],
      ['optional', true, true, undefined, false, true, false],
      ['stated', true, false, undefined, false, false, true],
      ['defaulted', false, true, 5, false, false, false],
      ['both', true, true, 6, false, false, false],
      ['turned', true, true, 7, false, false, false],
    ])
  })

  test('keeps the values of enums, unions of literals and literals, of one type', () => {
    const model = defineModel('things', {
      word: Type.Enum(['a', 'b']),
      level: Type.Union([Type.Literal(1), Type.Literal(2), Type.Null()]),
      only: Type.Literal('x'),
      mixed: Type.Optional(Type.Union([Type.Literal('a'), Type.Enum(['b', 'c'])])),
    })
    expect(
      ['word', 'level', 'only', 'mixed'].map((name) => [
        fieldOf(model, name).kind,
        fieldOf(model, name).values,
        fieldOf(model, name).nullable,
      ]),
    ).toEqual([
      ['text', ['a', 'b'], false],
      ['integer', [1, 2], true],
      ['text', ['x'], false],
      ['text', ['a', 'b', 'c'], true],
    ])
  })

  test('makes a fresh copy of a default for each record, and calls a default that is a function', () => {
    let calls = 0
    const model = defineModel('things', {
      data: Default(Json(Type.Object({ n: Type.Number() })), { n: 1 }),
      count: Default(Type.Integer(), () => ++calls),
    })
    const make = fieldOf(model, 'data').makeDefault
    expect(make?.()).toEqual({ n: 1 })
    expect(make?.()).not.toBe(make?.())
    expect([fieldOf(model, 'count').makeDefault?.(), fieldOf(model, 'count').makeDefault?.()]).toEqual([1, 2])
  })

  test('keeps the fields of an id with a name of its own, and of named stamps', () => {
    const User = defineModel('users', { name: Type.String() }, { id: 'uuid' })
    const model = defineModel(
      'assets',
      { name: Type.String() },
      {
        id: { name: 'code', type: 'text', maxLength: 10 },
        stamps: { createdAt: 'date_added', createdBy: { name: 'added_by', field: Ref(() => User) } },
      },
    )
    expect(model.fields.map((field) => field.name)).toEqual([
      'code',
      'name',
      'date_added',
      'updated_at',
      'added_by',
      'updated_by',
      'row_version',
    ])
    expect(model.id).toMatchObject({ kind: 'text', maxLength: 10, optional: false })
    expect(model.stamps?.createdBy).toMatchObject({ kind: 'uuid', role: 'createdBy', nullable: true })
    expect(model.stamps?.createdBy.reference?.model()).toBe(User)
  })

  test('of the library itself may have a reserved name', () => {
    expect(defineSystemModel('strongroom_things', { n: Type.Integer() }).name).toBe('strongroom_things')
  })
})

describe('a reference', () => {
  test('has the kind of the other model id, which may be defined later, or be the same model', () => {
    const Region = defineModel('regions', {
      country: Ref(() => Country),
      parent: Type.Optional(Ref((): AnyModel<number> => Region, { onDelete: 'setNull' })),
    })
    const Country = defineModel('countries', { name: Type.String() }, { id: { name: 'code', type: 'text', maxLength: 2 } })
    expect(fieldOf(Region, 'country')).toMatchObject({ kind: 'text', maxLength: 2, nullable: false })
    expect(fieldOf(Region, 'country').reference?.onDelete).toBe('restrict')
    expect(fieldOf(Region, 'country').check('DEU')).toBe('must have at most 2 characters')
    expect(fieldOf(Region, 'parent')).toMatchObject({ kind: 'integer', maxLength: undefined, nullable: true })
    expect(fieldOf(Region, 'parent').reference?.onDelete).toBe('setNull')
    expect(fieldOf(Region, 'parent').reference?.model()).toBe(Region)
  })

  test('to something that is no model, or not there yet, says so when it is followed', () => {
    const model = define('a', { wrong: Ref((() => 5) as never), early: Ref(() => Later) })
    expect(() => fieldOf(model, 'wrong').kind).toThrow('Model "a": field "wrong" refers to something that is no model.')
    expect(() => fieldOf(model, 'early').kind).toThrow('Model "a": field "early" refers to a model that is not defined yet.')
    const Later = defineModel('later', { name: Type.String() })
    expect(fieldOf(model, 'early').kind).toBe('integer')
  })
})

describe('a definition that cannot be kept throws a sentence that names the place:', () => {
  const text = { name: Type.String() }
  const cases: [title: string, sentence: string, definition: () => unknown][] = [
    [
      'a misspelt option',
      'Model "a": options has an unknown member "softdelete". Did you mean "softDelete"?',
      () => define('a', text, { softdelete: true }),
    ],
    ['an unknown option', 'options has an unknown member "zebra". There are id, softDelete', () => define('a', text, { zebra: 1 })],
    ['a tenant that is no field', '"org"', () => define('a', text, { tenant: 'org' })],
    [
      'a misspelt stamp',
      'option stamps has an unknown member "created". Did you mean "createdAt"?',
      () => define('a', text, { stamps: { created: 'x' } }),
    ],
    ['options that are no object', 'options must be an object', () => define('a', text, 'soft')],
    ['softDelete that is no boolean', 'option softDelete must be true or false', () => define('a', text, { softDelete: 'yes' })],
    ['an unknown id type', "option id must be 'integer', 'uuid', 'text'", () => define('a', text, { id: 'serial' })],
    ['a length for a counted id', 'option id.maxLength is for text ids', () => define('a', text, { id: { name: 'n', maxLength: 5 } })],
    ['a schemaVersion of 0', 'option schemaVersion must be a whole number from 1 on', () => define('a', text, { schemaVersion: 0 })],
    [
      'a stamp that is no Ref',
      'field "x" has a field that is no Ref',
      () => define('a', text, { stamps: { createdBy: { name: 'x', field: Type.String() } } }),
    ],
    [
      'a time stamp that is a Ref',
      'option stamps.createdAt must be text',
      () => define('a', text, { stamps: { createdAt: Ref(() => define('b', text)) } }),
    ],
    [
      'unique that is one list',
      "option unique must be a list of lists of field names: [['email']]",
      () => define('a', text, { unique: ['name'] }),
    ],
    ['secret that is a text', 'option secret must be a list of field names', () => define('a', text, { secret: 'name' })],
    [
      'an unknown field in unique',
      'option unique names the unknown field "nmae". Did you mean "name"? The fields are id, name',
      () => define('a', text, { unique: [['nmae']] }),
    ],
    [
      'an unknown field in indexes',
      'option indexes names the unknown field "created_at"',
      () => define('a', text, { indexes: [['created_at']] }),
    ],
    [
      'row_version in indexes',
      'option indexes names the unknown field "row_version"',
      () => define('a', text, { indexes: [['row_version']] }),
    ],
    ['an unknown field in secret', 'option secret names the unknown field "password"', () => define('a', text, { secret: ['password'] })],
    ['an unknown field in readOnly', 'option readOnly names the unknown field "id"', () => define('a', text, { readOnly: ['id'] })],
    ['an unknown field in immutable', 'option immutable names the unknown field "x"', () => define('a', text, { immutable: ['x'] })],
    [
      'a field twice in an index',
      'option indexes names a field twice in [name, name]',
      () => define('a', text, { indexes: [['name', 'name']] }),
    ],
    ['the same index twice', 'option unique has [name] twice', () => define('a', text, { unique: [['name'], ['name']] })],
    ['an empty index', 'option indexes has an empty list', () => define('a', text, { indexes: [[]] })],
    ['JSON in an index', 'names "data", which holds JSON', () => define('a', { data: Json() }, { indexes: [['data']] })],
    ['a table of the library', 'names that begin with strongroom_ or sqlite_ are reserved', () => define('Strongroom_log', text)],
    ['a table of SQLite', 'names that begin with strongroom_ or sqlite_ are reserved', () => define('sqlite_things', text)],
    ['a table with a space', 'Model "my table": the name must begin with a letter', () => define('my table', text)],
    ['a table that is no text', 'the name must begin with a letter', () => define(undefined, text)],
    ['a table with a name of 61 letters', 'the name must begin with a letter', () => define('a'.repeat(61), text)],
    ['a table called constructor', 'the name is reserved by JavaScript', () => define('constructor', text)],
    [
      'a field called row_version',
      'the field "row_version" has the name of the library\'s hidden row_version',
      () => define('a', { row_version: Type.String() }),
    ],
    ['a field called as the id', 'the field "id" has the name of the model\'s id', () => define('a', { id: Type.Integer() })],
    ['a field called as the id in capitals', 'the field "ID" has the name of the model\'s id', () => define('a', { ID: Type.Integer() })],
    [
      'a field called as a stamp',
      'the field "made" has the name of the model\'s stamp createdAt',
      () => define('a', { made: Type.String() }, { stamps: { createdAt: 'made' } }),
    ],
    [
      'a field called deleted_at',
      'the field "deleted_at" has the name of the model\'s deleted_at',
      () => define('a', { deleted_at: DateTime() }, { softDelete: true }),
    ],
    [
      'two stamps of one name',
      '"at" is the name of two fields of the library',
      () => define('a', text, { stamps: { createdAt: 'at', updatedAt: 'at' } }),
    ],
    [
      'fields that differ in case only',
      'the fields "name" and "Name" differ in upper and lower case only',
      () => define('a', { name: Type.String(), Name: Type.String() }),
    ],
    [
      'a field called __proto__',
      'field "__proto__" has a name that is reserved by JavaScript',
      () => define('a', JSON.parse('{"__proto__":{"type":"string"}}')),
    ],
    [
      'a field called constructor',
      'field "constructor" has a name that is reserved by JavaScript',
      () => define('a', { constructor: Type.String() }),
    ],
    [
      'a field called prototype',
      'field "prototype" has a name that is reserved by JavaScript',
      () => define('a', { prototype: Type.String() }),
    ],
    ['a field called or', 'field "or" has a name that is reserved: by the query language', () => define('a', { or: Type.String() })],
    ['a field called ctid', 'field "ctid" has a name that is reserved', () => define('a', { ctid: Type.String() })],
    ['a field with a dash', 'field "first-name" has a name that is not allowed', () => define('a', { 'first-name': Type.String() })],
    ['an id with a dash', 'field "my-id" has a name that is not allowed', () => define('a', text, { id: { name: 'my-id' } })],
    ['a bare default', 'field "name" has a bare default', () => define('a', { name: Type.String({ default: 'x' }) })],
    [
      'a bare default inside a union',
      'has a bare default',
      () => define('a', { name: Type.Union([Type.String({ default: 'x' }), Type.Null()]) }),
    ],
    [
      'a bare default inside Json',
      'write Default(Json(…), value)',
      () => define('a', { name: Json(Type.Array(Type.String(), { default: [] })) }),
    ],
    [
      'Optional inside a union',
      'put it around the union',
      () => define('a', { name: Type.Union([Type.Optional(Type.String()), Type.Null()]) }),
    ],
    [
      'an unknown format',
      'field "mail" has the unknown format "e-mail". There are date-time,',
      () => define('a', { mail: Type.String({ format: 'e-mail' }) }),
    ],
    ['a broken pattern', 'has a pattern that is not a regular expression: [', () => define('a', { mail: Type.String({ pattern: '[' }) })],
    [
      'a length that is no number',
      'has a maxLength that is not a whole number',
      () => define('a', { name: Type.String({ maxLength: -1 }) }),
    ],
    [
      'lengths that nothing has',
      'has a minLength above its maxLength',
      () => define('a', { name: Type.String({ minLength: 3, maxLength: 2 }) }),
    ],
    ['a bound that is no number', 'has a minimum that is not a number', () => define('a', { n: Type.Integer({ minimum: Number.NaN }) })],
    [
      'a default that the field refuses',
      'field "n" has a default that the field does not take: it must be at least 3',
      () => define('a', { n: Default(Type.Integer({ minimum: 3 }), 2) }),
    ],
    ['a null default', 'it must not be null', () => define('a', { n: Default(Type.Integer(), null as never) })],
    ['an array', 'field "list" is an array or object; use Json(schema)', () => define('a', { list: Type.Array(Type.String()) })],
    ['an object', 'is an array or object; use Json(schema)', () => define('a', { list: Type.Object({}) })],
    ['Type.Any', 'has a type that no column can hold', () => define('a', { any: Type.Any() })],
    ['Type.Null alone', 'has a type that no column can hold', () => define('a', { none: Type.Null() })],
    ['Type.BigInt', 'is Type.BigInt; use Int64()', () => define('a', { n: Type.BigInt() })],
    [
      'Type.Readonly',
      'is Type.Readonly; list it in the option readOnly or immutable',
      () => define('a', { n: Type.Readonly(Type.String()) }),
    ],
    ['a codec', 'is a TypeBox codec', () => define('a', { n: Type.Codec(Type.String()).Decode(Number).Encode(String) })],
    [
      'a union of types',
      'is a union of more than literals and null; use Json(schema)',
      () => define('a', { n: Type.Union([Type.String(), Type.Integer()]) }),
    ],
    ['an enum of two types', 'either only texts', () => define('a', { n: Type.Enum(['a', 1]) })],
    ['an empty enum', 'must list at least one value', () => define('a', { n: Type.Enum([]) })],
    ['an enum with NUL', 'without NUL', () => define('a', { n: Type.Enum(['a\0']) })],
    ['literals that are booleans', 'use Type.Boolean()', () => define('a', { n: Type.Literal(true) })],
    ['a field that is no type', 'field "n" is no TypeBox type', () => define('a', { n: 'text' })],
    ['one TypeBox object for all', 'not one TypeBox type', () => define('a', Type.Object(text))],
    ['fields that are none', 'the fields must be an object', () => define('a', undefined)],
    [
      'a precision of 19',
      'field "n" Decimal takes a precision from 1 to 18',
      () => define('a', { n: Decimal({ precision: 19, scale: 2 }) }),
    ],
    [
      'a scale above the precision',
      'Decimal takes a scale from 0 to its precision',
      () => define('a', { n: Type.Optional(Decimal({ precision: 2, scale: 3 })) }),
    ],
    ['a negative number of bytes', 'Bytes takes a maxLength', () => define('a', { n: Bytes({ maxLength: -1 }) })],
    [
      'a Ref without a function',
      'takes a function that answers the other model',
      () => define('a', { n: Ref(define('b', text) as never) }),
    ],
    [
      'an unknown onDelete',
      "has an onDelete other than 'restrict'",
      () => define('a', { n: Ref(() => define('b', text), { onDelete: 'drop' as never }) }),
    ],
    [
      'setNull on a required field',
      "has onDelete 'setNull' and must take null",
      () => define('a', { n: Ref(() => define('b', text), { onDelete: 'setNull' }) }),
    ],
    [
      'Refine around a type of this library',
      "refines one of this library's types",
      () => define('a', { n: Type.Refine(Int64(), () => true) }),
    ],
  ]
  test.each(cases)('%s', (_title, sentence, definition) => {
    expect(definition).toThrow(UsageError)
    expect(definition).toThrow(sentence)
    expect(definition).toThrow(expect.objectContaining({ code: 'invalid_definition' }))
  })
})
