import { defineModel } from '@strongroom/core'
import { Type } from 'typebox'

/** What backups are full of. */
export const Thing = defineModel('things', { name: Type.String(), padding: Type.String() })

/** What writers leave, each under a name of its own. */
export const Note = defineModel('notes', { name: Type.String() })
