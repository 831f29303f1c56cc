import { Decimal, defineModel, ModelAccessor, Ref } from '@strongroom/core'
import { Type } from 'typebox'

const Continent = Type.Enum(['AF', 'AN', 'AS', 'EU', 'NA', 'OC', 'SA'])
const Latitude = Type.Number({ minimum: -90, maximum: 90 })
const Longitude = Type.Number({ minimum: -180, maximum: 180 })
/** Degrees between true and magnetic north; east is positive. */
const Variation = Decimal({ precision: 6, scale: 3 })
const Kilohertz = Type.Integer({ minimum: 1 })

export const Country = defineModel(
  'countries',
  {
    name: Type.String({ minLength: 1, maxLength: 100 }),
    continent: Continent,
    wikipedia_link: Type.Optional(Type.String({ format: 'uri' })),
    keywords: Type.Optional(Type.String()),
  },
  { id: { name: 'code', type: 'text', maxLength: 2 }, stamps: true, indexes: [['continent', 'name']] },
)

export const Region = defineModel(
  'regions',
  {
    country: Ref(() => Country),
    local_code: Type.String({ minLength: 1, maxLength: 10 }),
    name: Type.String({ minLength: 1, maxLength: 100 }),
    continent: Continent,
    wikipedia_link: Type.Optional(Type.String({ format: 'uri' })),
    keywords: Type.Optional(Type.String()),
  },
  { id: { name: 'code', type: 'text', maxLength: 10 }, stamps: true, unique: [['country', 'local_code']], indexes: [['country', 'name']] },
)

/** A radio navigation aid: a transmitter on the ground that tells aircraft where they are. */
export const Navaid = defineModel(
  'navaids',
  {
    ident: Type.String({ minLength: 1, maxLength: 10 }),
    name: Type.String({ minLength: 1, maxLength: 100 }),
    type: Type.Enum(['NDB', 'NDB-DME', 'VOR', 'VOR-DME', 'VORTAC', 'TACAN', 'DME']),
    country: Ref(() => Country),
    frequency_khz: Type.Optional(Kilohertz),
    latitude_deg: Latitude,
    longitude_deg: Longitude,
    elevation_ft: Type.Optional(Type.Integer()),
    magnetic_variation_deg: Type.Optional(Variation),
    slaved_variation_deg: Type.Optional(Variation),
    dme_frequency_khz: Type.Optional(Kilohertz),
    dme_channel: Type.Optional(Type.String({ maxLength: 4 })),
    dme_latitude_deg: Type.Optional(Latitude),
    dme_longitude_deg: Type.Optional(Longitude),
    dme_elevation_ft: Type.Optional(Type.Integer()),
    usage: Type.Optional(Type.Enum(['LO', 'HI', 'BOTH', 'TERMINAL', 'RNAV'])),
    power: Type.Optional(Type.Enum(['LOW', 'MEDIUM', 'HIGH', 'UNKNOWN'])),
    associated_airport: Type.Optional(Type.String({ maxLength: 10 })),
  },
  { softDelete: true, stamps: true, indexes: [['country', 'type'], ['ident'], ['name']] },
)

export const countries = new ModelAccessor(Country, 'countries')
export const regions = new ModelAccessor(Region, 'regions')
export const navaids = new ModelAccessor(Navaid, 'navaids')
