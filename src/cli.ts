import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { isPrincipalName, isRole, type Role } from './auth/principal.ts'
import { EXIT_CONFIG, readConfig, SETTINGS, type Config } from './config/config.ts'
import { NodeError } from './errors.ts'
import { openAccounts, type OpenAccounts } from './relay.ts'

const USAGE = `usage: stomp-relay COMMAND

  start                                serve, as npm start does
  check-config                         print every fault of the configuration
  token --user NAME --role ROLE        print a token for one hour (--minutes N for another time)
  create-user --name NAME --role ROLE  make an account; the password is read from standard input
  set-password --name NAME             change its password, and end its logins and sessions
  disable-user --name NAME             let nobody in by this account until it has a new password

Roles are user, service and admin; --role may be given several times.
`

const EXIT_USAGE = 64
const DEFAULT_TOKEN_MINUTES = 60
const MIN_PASSWORD_LENGTH = 8

/** Something the caller of the command got wrong; the message says what. */
class UsageError extends Error {}

type Options = ReturnType<typeof parse>['values']

function parse(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      user: { type: 'string' },
      name: { type: 'string' },
      role: { type: 'string', multiple: true },
      minutes: { type: 'string' },
    },
  })
}

const COMMANDS: Readonly<Record<string, (options: Options) => Promise<void>>> = {
  async start() {
    await import('./main.ts')
  },
  async 'check-config'() {
    const config = readConfig(process.env)
    print(`the configuration is fine: ${Object.keys(SETTINGS).length} settings, node ${config.nodeId}`)
  },
  async token(options) {
    const principal = { name: nameOf(options.user, '--user'), roles: rolesOf(options) }
    const minutes = Number(options.minutes ?? DEFAULT_TOKEN_MINUTES)
    if (!Number.isInteger(minutes) || minutes < 1) throw new UsageError('--minutes must be a whole number')
    await withAccounts(readConfig(process.env), async ({ tokens, note }) => {
      const signed = await tokens.sign(principal, minutes * 60)
      await note(`token for ${principal.name} (${principal.roles.join(', ')}), ${minutes} minutes`)
      print(signed)
    })
  },
  async 'create-user'(options) {
    const name = nameOf(options.name, '--name')
    const roles = rolesOf(options)
    const password = await readPassword()
    await withAccounts(readConfig(process.env), async ({ accounts, note }) => {
      await accounts.create({ name, password, roles })
      await note(`create-user ${name} (${roles.join(', ')})`)
      print(`made the account ${name} (${roles.join(', ')})`)
    })
  },
  async 'set-password'(options) {
    const name = nameOf(options.name, '--name')
    const password = await readPassword()
    await withAccounts(readConfig(process.env), async ({ accounts, note }) => {
      await accounts.setPassword(name, password)
      await note(`set-password ${name}`)
      print(`changed the password of ${name}`)
    })
  },
  async 'disable-user'(options) {
    const name = nameOf(options.name, '--name')
    await withAccounts(readConfig(process.env), async ({ accounts, note }) => {
      await accounts.disable(name)
      await note(`disable-user ${name}`)
      print(`disabled the account ${name}`)
    })
  },
}

async function withAccounts(config: Config, act: (accounts: OpenAccounts) => Promise<void>): Promise<void> {
  const opened = await openAccounts(config)
  try {
    await act(opened)
  } finally {
    await opened.close()
  }
}

function nameOf(value: string | undefined, option: string): string {
  if (!isPrincipalName(value)) throw new UsageError(`${option} must be 1 to 64 of A-Z a-z 0-9 _ . @ -`)
  return value
}

function rolesOf({ role = [] }: Options): readonly Role[] {
  const roles = role.filter((name) => isRole(name))
  if (roles.length === 0 || roles.length < role.length) {
    throw new UsageError('--role must be user, service or admin')
  }
  return roles
}

/** The first line of standard input. */
async function readPassword(): Promise<string> {
  if (process.stdin.isTTY) process.stderr.write('password: ')
  for await (const line of createInterface({ input: process.stdin })) {
    if (line.length < MIN_PASSWORD_LENGTH) break
    return line
  }
  throw new UsageError(`the password must have ${MIN_PASSWORD_LENGTH} characters or more`)
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

async function main(): Promise<void> {
  try {
    const { values, positionals } = parse(process.argv.slice(2))
    const [name = '', ...more] = positionals
    const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
    if (command === undefined || more.length > 0) {
      process.stderr.write(USAGE)
      process.exitCode = EXIT_USAGE
      return
    }
    await command(values)
  } catch (error) {
    process.exitCode = exitCodeOf(error)
    process.stderr.write(`stomp-relay: ${error instanceof Error ? error.message : String(error)}\n`)
  }
}

function exitCodeOf(error: unknown): number {
  if (error instanceof NodeError) return error.code === 'invalid-configuration' ? EXIT_CONFIG : 1
  return error instanceof UsageError || isParseError(error) ? EXIT_USAGE : 1
}

/** What `parseArgs` throws for options it does not know, or that lack their value. */
function isParseError(error: unknown): boolean {
  return error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS_')
}

await main()
