import { readdir, readFile } from 'node:fs/promises'

/** What Linux counts per process, in microseconds and bytes. */
export interface ProcUsage {
  /** User and system time since the process began, all threads. */
  readonly cpuUs: number
  readonly rssBytes: number
}

export interface ProcStat extends ProcUsage {
  readonly pid: number
  readonly parentPid: number
}

/** `USER_HZ`, fixed at 100 for /proc on every architecture Node runs on. */
const TICKS_PER_SECOND = 100
const TICK_US = 1_000_000 / TICKS_PER_SECOND
const PAGE_BYTES = 4096

/**
 * Reads one line of /proc/PID/stat (proc(5)). The name, in brackets, may itself hold blanks and
 * brackets, so fields are counted from the last bracket.
 * @throws Error where the line has another form
 */
export function parseProcStat(line: string): ProcStat {
  const nameEnd = line.lastIndexOf(')')
  const pid = Number.parseInt(line, 10)
  const fields = line.slice(nameEnd + 2).split(' ')
  const field = (number: number): number => Number(fields[number - 3] ?? Number.NaN)
  const stat = {
    pid,
    parentPid: field(4),
    cpuUs: (field(14) + field(15)) * TICK_US,
    rssBytes: field(24) * PAGE_BYTES,
  }
  if (nameEnd === -1 || Object.values(stat).some(Number.isNaN))
    throw new Error(`not a line of /proc/PID/stat: ${line}`)
  return stat
}

/**
 * The sum over a process and those of its descendants that live.
 * @throws Error where there is no such process
 */
export async function readProcTree(pid: number): Promise<ProcUsage> {
  const root = parseProcStat(await readFile(`/proc/${pid}/stat`, 'utf8'))
  const all = await readAllStats()
  let cpuUs = root.cpuUs
  let rssBytes = root.rssBytes
  const parents = [pid]
  for (let parent = parents.pop(); parent !== undefined; parent = parents.pop()) {
    for (const stat of all) {
      if (stat.parentPid !== parent) continue
      cpuUs += stat.cpuUs
      rssBytes += stat.rssBytes
      parents.push(stat.pid)
    }
  }
  return { cpuUs, rssBytes }
}

async function readAllStats(): Promise<readonly ProcStat[]> {
  const names = await readdir('/proc')
  const lines = await Promise.all(
    names
      .filter((name) => /^\d+$/.test(name))
      // A process may end between the two reads.
      .map(async (name) => readFile(`/proc/${name}/stat`, 'utf8').catch(() => undefined)),
  )
  return lines.flatMap((line) => (line === undefined ? [] : [parseProcStat(line)]))
}
