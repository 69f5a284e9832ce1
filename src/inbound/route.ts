import { MessageError } from '../errors.ts'
import { isPrivateTopic } from '../../protocol/destination.ts'

/**
 * Where a destination leads. `topic` and `private` may be shared by all clients of the node; `broker`
 * needs the client's own broker session; `own` is a queue of the session's user, `user` somebody's.
 */
export type Route =
  | { readonly kind: 'app'; readonly destination: string }
  | { readonly kind: 'own'; readonly destination: string }
  | { readonly kind: 'user'; readonly user: string; readonly destination: string }
  | { readonly kind: 'topic'; readonly topic: string }
  | { readonly kind: 'private'; readonly topic: string }
  | { readonly kind: 'broker' }

/** RabbitMQ's destination prefixes (its STOMP guide, "Destinations"), `/topic` aside. */
const BROKER_PREFIXES = ['/queue/', '/exchange/', '/amq/queue/', '/temp-queue/', '/reply-queue/']

/**
 * Finds the route of a destination by its prefix, as Spring does with `/app`, `/user` and the broker's.
 *
 * @throws MessageError `unknown-destination` where no prefix fits, `invalid-destination` where the
 * rest of the name cannot be
 */
export function resolveRoute(destination: string): Route {
  if (destination.startsWith('/app/')) return { kind: 'app', destination }
  if (destination.startsWith('/topic/')) return topicRoute(destination)
  if (destination.startsWith('/user/')) return userRoute(destination)
  if (
    BROKER_PREFIXES.some((prefix) => destination.startsWith(prefix) && destination.length > prefix.length)
  ) {
    return { kind: 'broker' }
  }
  throw new MessageError('unknown-destination', `nothing answers at ${destination}`)
}

/** RabbitMQ decodes `%2F` in a topic, and only that; a plain slash it refuses. */
function topicRoute(destination: string): Route {
  const name = destination.slice('/topic/'.length)
  if (name === '' || name.includes('/')) {
    throw new MessageError('invalid-destination', `${destination}: a topic is words separated by dots`)
  }
  const topic = name.includes('%') ? name.replaceAll(/%2F/gi, '/') : name
  return { kind: isPrivateTopic(topic) ? 'private' : 'topic', topic }
}

/** `/user/queue/x` is one's own; `/user/{name}/queue/x` is somebody's, with `%2F` for a slash in the name. */
function userRoute(destination: string): Route {
  const rest = destination.slice('/user'.length)
  if (rest.startsWith('/queue/') && rest.length > '/queue/'.length) return { kind: 'own', destination }
  const slash = rest.indexOf('/', 1)
  const user = slash < 0 ? '' : rest.slice(1, slash).replaceAll(/%2F/gi, '/')
  if (user === '' || !rest.startsWith('/queue/', slash) || rest.length <= slash + '/queue/'.length) {
    throw new MessageError('invalid-destination', `${destination}: expected /user/{name}/queue/{queue}`)
  }
  return { kind: 'user', user, destination: `/user${rest.slice(slash)}` }
}
