import { readFileSync } from 'node:fs'
import { createSecureContext } from 'node:tls'

/** Certificate chain and private key, PEM. */
export interface TlsPair {
  readonly cert: Buffer
  readonly key: Buffer
}

export interface TlsFiles {
  readonly tlsCertFile: string | undefined
  readonly tlsKeyFile: string | undefined
}

/**
 * What is in the files; undefined where there are none.
 *
 * @throws Error where they cannot be read or do not belong together
 */
export function readTls({ tlsCertFile, tlsKeyFile }: TlsFiles): TlsPair | undefined {
  if (tlsCertFile === undefined || tlsKeyFile === undefined) return undefined
  const pair = { cert: readFileSync(tlsCertFile), key: readFileSync(tlsKeyFile) }
  createSecureContext(pair)
  return pair
}

/** Why the files cannot serve, of the variable that has to change. */
export function tlsFault(files: TlsFiles): readonly [variable: string, fault: string] | undefined {
  const { tlsCertFile, tlsKeyFile } = files
  if ((tlsCertFile === undefined) !== (tlsKeyFile === undefined)) {
    const [set, missing] = tlsCertFile === undefined ? ['KEY', 'CERT'] : ['CERT', 'KEY']
    return [`TLS_${missing}_FILE`, `be set too, because TLS_${set}_FILE is`]
  }
  const unreadable = firstUnreadable([
    ['TLS_CERT_FILE', tlsCertFile],
    ['TLS_KEY_FILE', tlsKeyFile],
  ])
  if (unreadable !== undefined) return [unreadable, 'be a file that can be read']
  try {
    readTls(files)
    return undefined
  } catch {
    // What OpenSSL says of it helps nobody and might show what is in the file.
    return ['TLS_KEY_FILE', 'be the private key, PEM without passphrase, of the certificate in TLS_CERT_FILE']
  }
}

function firstUnreadable(files: readonly (readonly [string, string | undefined])[]): string | undefined {
  return files.find(([, path]) => path !== undefined && !isReadable(path))?.[0]
}

function isReadable(path: string): boolean {
  try {
    readFileSync(path)
    return true
  } catch {
    return false
  }
}
