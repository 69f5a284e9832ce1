import { SINCE_1_1, type ConformanceCase } from '../conformance-case.ts'
import { expect } from '../deviation.ts'
import { rawHeader } from '../wire.ts'

const BEAT_MS = 300

/** Heart-beats, in both directions. */
export const heartBeats: readonly ConformanceCase[] = [
  {
    id: 'heart-beat-header',
    title: 'says in CONNECTED how often it sends and wants to hear',
    clause: 'STOMP 1.2, Heart-beating',
    versions: SINCE_1_1,
    needs: [],
    run: async (trial) => {
      const peer = await trial.open()
      peer.send('CONNECT', [...trial.connectHeaders(), 'heart-beat', '10000,10000'])
      const heartBeat = rawHeader(await peer.next('CONNECTED'), 'heart-beat') ?? ''
      expect(/^\d+,\d+$/.test(heartBeat), `heart-beat is "${heartBeat}"`)
    },
  },
  {
    id: 'heart-beat-sent',
    title: 'sends heart-beats to a client that wants them',
    clause: 'STOMP 1.2, Heart-beating',
    versions: SINCE_1_1,
    needs: [],
    run: async (trial) => {
      const peer = await trial.connect(['heart-beat', '0,1000'])
      const before = peer.beats
      await peer.until(() => (peer.beats >= before + 2 ? true : undefined), 'two heart-beats')
    },
  },
  {
    id: 'heart-beat-missed',
    title: 'ends a connection that stays silent, and not one whose client sends its heart-beats',
    clause: 'STOMP 1.2, Heart-beating',
    versions: SINCE_1_1,
    needs: ['topic'],
    run: async (trial) => {
      const silent = await trial.connect(['heart-beat', '1000,0'])
      const beating = await trial.connect(['heart-beat', '1000,0'])
      const beat = setInterval(() => beating.write('\n'), BEAT_MS)
      try {
        await silent.closed()
        await trial.publish(beating, trial.topic(), 'still there')
      } finally {
        clearInterval(beat)
      }
    },
  },
  {
    id: 'heart-beat-malformed',
    title: 'refuses a heart-beat header that is not two numbers',
    clause: 'STOMP 1.2, Heart-beating',
    versions: SINCE_1_1,
    needs: [],
    run: async (trial) => {
      const peer = await trial.open()
      peer.send('CONNECT', [...trial.connectHeaders(), 'heart-beat', 'often'])
      await trial.refusal(peer, { sentinel: 'connect' })
    },
  },
  {
    id: 'heart-beat-between',
    title: 'takes line ends between frames for nothing else',
    clause: 'STOMP 1.2, STOMP Frames; Heart-beating',
    needs: ['topic'],
    run: async (trial) => {
      const peer = await trial.connect()
      peer.write('\n\n')
      await trial.publish(peer, trial.topic(), 'one')
      peer.write('\n')
      await trial.publish(peer, trial.topic(), 'two')
    },
  },
]
