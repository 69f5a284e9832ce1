import { execFileSync } from 'node:child_process'
import { join } from 'node:path'

export interface Certificate {
  readonly certFile: string
  readonly keyFile: string
}

/** A certificate of 127.0.0.1 and localhost that vouches for itself; for a test, so that a day is enough. */
export function selfSigned(folder: string, name: string): Certificate {
  const args = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-subj', `/CN=${name}`]
  const names = ['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']
  const files = ['-keyout', `${name}.key`, '-out', `${name}.pem`]
  execFileSync('openssl', [...args, ...names, ...files], { cwd: folder, stdio: 'ignore' })
  return { certFile: join(folder, `${name}.pem`), keyFile: join(folder, `${name}.key`) }
}
