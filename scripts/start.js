import { ensureBuilt } from './built.js'

ensureBuilt()
await import('../dist/src/main.js')
