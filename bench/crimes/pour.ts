import type { CrimeClient } from './crime-client.ts'
import type { Scene } from './scene.ts'

/** Writes as fast as the socket takes it, until somebody ends it. @param next frames that `clientFrame` made */
export async function pour(scene: Scene, client: CrimeClient, next: () => readonly Buffer[]): Promise<void> {
  while (client.isOpen && !scene.isOver) {
    client.sendFrames(next())
    await client.drained()
  }
}
