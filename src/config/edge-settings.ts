import { flag, integer, list, matching, setting, type SettingTable } from './setting.ts'
import { trustedNetwork } from './trusted-network.ts'

const PATH = matching(/^[^\0]{1,4096}$/, 'the path of a file')

/** What stands between the node and the world. */
export const EDGE_SETTINGS = {
  trustProxy: setting<readonly string[]>(
    'TRUST_PROXY',
    'addresses and networks of proxies whose `X-Forwarded-For` is believed, comma-separated (`10.0.0.0/8`)',
    [],
    list(trustedNetwork),
  ),
  tlsCertFile: setting<string | undefined>(
    'TLS_CERT_FILE',
    'PEM file of the certificate and its chain, to serve https and wss; read again at SIGHUP',
    undefined,
    PATH,
  ),
  tlsKeyFile: setting<string | undefined>('TLS_KEY_FILE', 'PEM file of its private key', undefined, PATH),
  compression: setting(
    'WS_COMPRESSION',
    'whether clients may compress what they send (permessage-deflate); what they get is not compressed',
    false,
    flag,
  ),
  limitHttpPerMinute: setting(
    'LIMIT_HTTP_PER_MINUTE',
    'HTTP requests of one user, or of one address without a valid token',
    300,
    integer(1, 1_000_000_000),
  ),
  limitLoginsPerMinute: setting(
    'LIMIT_LOGINS_PER_MINUTE',
    'logins over HTTP and wrong passcodes in CONNECT of one address',
    10,
    integer(1, 1_000_000_000),
  ),
  limitConnectingPerAddress: setting(
    'LIMIT_CONNECTING_PER_ADDRESS',
    'connections of one address that have asked for nothing yet, and WebSockets that are not CONNECTED yet, or ended so within 2 s',
    200,
    integer(1, 1_000_000),
  ),
  limitConnectionsPerAddress: setting(
    'LIMIT_CONNECTIONS_PER_ADDRESS',
    'connections of one address that are no WebSockets, idle ones and event streams among them',
    1000,
    integer(1, 1_000_000),
  ),
  limitLoopLagMs: setting(
    'LIMIT_LOOP_LAG_MS',
    'mean delay of the event loop over a second, milliseconds, beyond which new requests and upgrades get 503; 0 is never',
    1000,
    integer(0, 60_000),
  ),
} satisfies SettingTable
