#!/usr/bin/env node
import { ensureBuilt } from '../scripts/built.js'

ensureBuilt()
await import('../dist/src/cli.js')
