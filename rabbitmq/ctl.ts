import { execFile } from 'node:child_process'
import process from 'node:process'

/** Where Debian keeps the scripts. Those in /usr/sbin change the user and lose the environment. */
export const SCRIPTS = '/usr/lib/rabbitmq/bin'

const CTL_TIMEOUT_MS = 60_000

/**
 * Runs `rabbitmqctl` and resolves with what it printed.
 *
 * @param ctlEnv what leads it to the node: `PrivateNode.ctlEnv`
 * @throws Error with what it printed, where it fails or takes longer than 60 s
 */
export async function rabbitmqctl(ctlEnv: Readonly<Record<string, string>>, args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { env: { ...process.env, ...ctlEnv }, timeout: CTL_TIMEOUT_MS }
    execFile(`${SCRIPTS}/rabbitmqctl`, ['-q', ...args], options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout)
      else reject(new Error(`rabbitmqctl ${args.join(' ')}: ${stderr}${stdout}`, { cause: error }))
    })
  })
}

/** Adds a virtual host that the account may do everything in. */
export async function addVhost(
  ctlEnv: Readonly<Record<string, string>>,
  account: string,
  vhost: string,
): Promise<void> {
  await rabbitmqctl(ctlEnv, ['add_vhost', vhost])
  await rabbitmqctl(ctlEnv, ['set_permissions', '-p', vhost, account, '.*', '.*', '.*'])
}
