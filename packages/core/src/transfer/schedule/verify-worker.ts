import { checkPortableFile } from '../../engine/portable-file.ts'
import { work } from '../worker/work.ts'

await work<string>((path) => checkPortableFile(path))
