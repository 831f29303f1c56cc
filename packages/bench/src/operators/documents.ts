import { Default, defineModel, ModelAccessor } from '@strongroom/core'
import { Type } from 'typebox'

/** What the clients write: who, and which one of theirs. */
const Document = defineModel(
  'documents',
  {
    writer: Type.Integer(),
    number: Type.Integer(),
    title: Type.String({ maxLength: 200 }),
    content: Default(Type.String({ maxLength: 2_000 }), ''),
  },
  { indexes: [['writer', 'number']] },
)

export const documentAccessor = () => new ModelAccessor(Document, 'documents')
