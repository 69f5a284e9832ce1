/** Numbers at least 0 and below 1 that look random and are the same for the same seed. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  // A linear congruential generator with the multiplier of Numerical Recipes; the low bits are poor.
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return (state >>> 8) / 0x1_00_00_00
  }
}
