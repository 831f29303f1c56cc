import { defineModel, ModelAccessor } from '@strongroom/core'
import { Type } from 'typebox'

/** Records of one large text each. */
const Letter = defineModel('letters', { text: Type.String() })

export const letterAccessor = () => new ModelAccessor(Letter, 'letters')
