let turns = 0
let next: Promise<void> | undefined

/** A number that is another one in each turn of the event loop. */
export function currentTurn(): number {
  void nextTurn()
  return turns
}

/** Resolves in the next turn, after all that this one had to do; one promise for all who ask in a turn. */
export function nextTurn(): Promise<void> {
  next ??= new Promise((resolve) => {
    setImmediate(() => {
      turns += 1
      next = undefined
      resolve()
    })
  })
  return next
}
