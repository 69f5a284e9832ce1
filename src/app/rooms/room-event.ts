import type { NewEvent } from '../../stream/event-row.ts'

export type RoomVisibility = 'public' | 'private'

/** Where what is told in a room goes: of private ones where no wildcard and no outsider comes. */
export function roomAddress(
  room: string,
  visibility: RoomVisibility,
  part: '' | '.read' | '.typing' = '',
): { readonly kind: 'topic' | 'private'; readonly topic: string } {
  return { kind: visibility === 'public' ? 'topic' : 'private', topic: `rooms.${room}${part}` }
}

/** The stream of a room, or of a part of it. */
export function roomStream(room: string, part: '' | '.read' = ''): string {
  return `/topic/rooms.${room}${part}`
}

/** Something stored that is told in a room. */
export function roomEvent(
  { room, visibility, part = '' }: { room: string; visibility: RoomVisibility; part?: '' | '.read' },
  payload: unknown,
): NewEvent {
  return { stream: roomStream(room, part), address: roomAddress(room, visibility, part), payload }
}
