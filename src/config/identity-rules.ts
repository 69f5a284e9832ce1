/** What the rules on settings of identity look at. */
export interface IdentitySettings {
  readonly jwtSecret: string | undefined
  readonly jwksUrl: string | undefined
  readonly jwtIssuer: string | undefined
  readonly jwtAudience: string | undefined
  readonly demoAccounts: boolean | undefined
}

/** What the rules between settings of identity say, each of the variable that has to change. */
export function* faultsOfIdentity(
  values: IdentitySettings,
  isProduction: boolean,
): Iterable<readonly [string, string]> {
  if (values.jwksUrl === undefined) yield* faultsOfOwnAccounts(values, isProduction)
  else yield* faultsOfProvider({ ...values, jwksUrl: values.jwksUrl }, isProduction)
}

const ONLY_WITH = 'not be set without AUTH_JWKS_URL or AUTH_JWT_SECRET'

function* faultsOfOwnAccounts(
  { jwtSecret, jwtIssuer, jwtAudience, demoAccounts }: IdentitySettings,
  isProduction: boolean,
): Iterable<readonly [string, string]> {
  if (isProduction && jwtSecret === undefined) {
    yield ['AUTH_JWT_SECRET', 'be set in production (32 bytes or more), or AUTH_JWKS_URL']
  }
  if (isProduction && demoAccounts === true) {
    yield ['DEMO_ACCOUNTS', 'not be on in production: everybody knows their passwords']
  }
  if (jwtSecret !== undefined) return
  // Nobody else signs then, and whoever set them believes that somebody does.
  if (jwtIssuer !== undefined) yield ['AUTH_JWT_ISSUER', ONLY_WITH]
  if (jwtAudience !== undefined) yield ['AUTH_JWT_AUDIENCE', ONLY_WITH]
}

function* faultsOfProvider(
  {
    jwtSecret,
    jwksUrl,
    jwtIssuer,
    jwtAudience,
    demoAccounts,
  }: IdentitySettings & { readonly jwksUrl: string },
  isProduction: boolean,
): Iterable<readonly [string, string]> {
  if (isProduction && !jwksUrl.startsWith('https:')) {
    yield ['AUTH_JWKS_URL', 'begin with https: in production']
  }
  if (jwtIssuer === undefined) yield ['AUTH_JWT_ISSUER', 'be set too, because AUTH_JWKS_URL is']
  if (jwtAudience === undefined) yield ['AUTH_JWT_AUDIENCE', 'be set too, because AUTH_JWKS_URL is']
  if (jwtSecret !== undefined) yield ['AUTH_JWT_SECRET', 'not be set beside AUTH_JWKS_URL']
  if (demoAccounts === true) {
    yield ['DEMO_ACCOUNTS', 'not be on beside AUTH_JWKS_URL: the accounts are those of the identity provider']
  }
}
