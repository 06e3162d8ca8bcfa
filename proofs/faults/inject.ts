import { execFile } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Cluster, MemberName } from './cluster.ts';
import { upsetDelivery } from './delivery-faults.ts';
import type { ProcessDial } from './dials.ts';
import type { FaultLog } from './fault-log.ts';
import { followText } from './follow-lines.ts';
import type { Member } from './member.ts';
import type { PlannedFault } from './plan.ts';
import { setReceiver } from './receiver-control.ts';

/** A graceful stop that takes longer is cut short, as every launcher does. */
const TERM_GRACE_MS = 4_000;
const UP_TIMEOUT_MS = 20_000;
const SESSION_TRIES = 20;
const SESSION_AGAIN_MS = 200;
const RECEIVER_TRIES = 10;
const RECEIVER_AGAIN_MS = 300;
/** There may be no further charge or refund in this round. After this time the fault strikes without its cue. */
const CUE_TIMEOUT_MS = { charge: 1_500, refund: 4_000 } as const;

/** Carries out the faults of a round at their times. Resolves when all of them are over. */
export async function inject(cluster: Cluster, faults: readonly PlannedFault[], log: FaultLog): Promise<void> {
  await Promise.all(
    faults.map(async (fault) => {
      await sleep(fault.atMs);
      await cue(cluster, fault);
      await carryOut(cluster, fault, log).catch((error: unknown) =>
        log.note(`fault not carried out: ${String(error)}`),
      );
    }),
  );
}

/** Waits for a fault's cue. The gateway syncs a charge to its log before it sends any notice, so the log's growth is the earliest sign. */
async function cue({ directory }: Cluster, { cue: kind, cueDelayMs }: PlannedFault): Promise<void> {
  if (kind === 'clock') {
    return;
  }
  const file = join(directory, 'simulators', 'charges.jsonl');
  const size = (): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  const added = kind === 'charge' ? null : followText(file);
  await added?.();
  const before = size();
  const hasCome = async (): Promise<boolean> =>
    added === null ? size() !== before : (await added()).includes('"kind":"refund');
  const giveUpAt = Date.now() + CUE_TIMEOUT_MS[kind];
  while (!(await hasCome()) && Date.now() < giveUpAt) {
    await sleep(10);
  }
  await sleep(cueDelayMs);
}

async function carryOut(cluster: Cluster, fault: PlannedFault, log: FaultLog): Promise<void> {
  switch (fault.kind) {
    case 'link':
      return upsetLink(cluster, fault, log);
    case 'receiver':
      return misbehave(cluster, fault, log);
    case 'process':
      return hitProcess(cluster, fault, log);
    case 'delivery':
      return upsetDelivery(cluster, fault, log);
  }
}

async function upsetLink(cluster: Cluster, fault: PlannedFault & { kind: 'link' }, log: FaultLog): Promise<void> {
  const { link: name, toxic, victim, forMs } = fault;
  const pairs = cluster.links.get(name) ?? [];
  const link = pairs[victim % pairs.length];
  await link?.upset(toxic);
  log.fired([name, toxic], `link ${name} ${victim}: ${toxic} for ${forMs} ms`);
  await sleep(forMs);
  await link?.mend();
}

async function misbehave(cluster: Cluster, fault: PlannedFault & { kind: 'receiver' }, log: FaultLog): Promise<void> {
  const receiver = cluster.receivers[fault.victim];
  let set = await setReceiver(receiver.controlUrl, fault.dial);
  // Another fault of the round may have killed the receiver.
  for (let tries = 1; !set && tries < RECEIVER_TRIES; tries += 1) {
    await sleep(RECEIVER_AGAIN_MS);
    set = await setReceiver(receiver.controlUrl, fault.dial);
  }
  if (set) {
    log.fired([fault.dial], `receiver ${fault.victim}: ${fault.dial} for ${fault.forMs * 2} ms`);
  }
  await sleep(fault.forMs * 2);
  await setReceiver(receiver.controlUrl, 'good');
}

async function hitProcess(cluster: Cluster, fault: PlannedFault & { kind: 'process' }, log: FaultLog): Promise<void> {
  const { dial, victim, forMs } = fault;
  const names = victimsOf(dial, victim);
  const victims = names.flatMap((name) => cluster.members.get(name) ?? []);
  if (dial === 'kill-backend') {
    const postgres = cluster.members.get('postgres');
    // Another fault of the round may have killed Postgres, and sessions take a moment to reconnect.
    await postgres?.up(UP_TIMEOUT_MS);
    let pid = await sessionOf(postgres);
    for (let tries = 1; pid === undefined && tries < SESSION_TRIES; tries += 1) {
      await sleep(SESSION_AGAIN_MS);
      pid = await sessionOf(postgres);
    }
    if (pid !== undefined) {
      process.kill(pid, 'SIGKILL');
      log.fired([dial], `${dial}: session ${pid} of postgres`);
    }
    return;
  }
  if (victims.length === 1) {
    // Another fault of the round may have stopped it already.
    await victims[0]?.up(UP_TIMEOUT_MS);
  }
  const hit = await Promise.all(victims.map((member) => hitOne(member, fault)));
  if (hit.some(Boolean)) {
    log.fired([dial], `${dial}: ${names.join(', ')} for ${forMs} ms`);
  }
}

async function hitOne(member: Member, { dial, forMs }: PlannedFault & { kind: 'process' }): Promise<boolean> {
  const [how] = dial.split('-');
  switch (how) {
    case 'kill':
      return member.signal('SIGKILL', { restartAfterMs: forMs });
    case 'quit':
      // The signal that `pg_ctl stop -m immediate` sends.
      return member.signal('SIGQUIT', { restartAfterMs: forMs });
    case 'term': {
      const pid = member.pid();
      const sent = member.signal('SIGTERM', { restartAfterMs: forMs });
      await sleep(TERM_GRACE_MS);
      if (sent && member.pid() === pid) {
        member.signal('SIGKILL');
      }
      return sent;
    }
    default:
      return freeze(member, forMs);
  }
}

/** Freezes a process and its children, as on a paused host, and then lets them continue. */
async function freeze(member: Member, forMs: number): Promise<boolean> {
  const pid = member.pid();
  if (pid === undefined) {
    return false;
  }
  const all = [pid, ...(await childrenOf(pid)).map((child) => child.pid)];
  all.forEach((one) => signalQuietly(one, 'SIGSTOP'));
  await sleep(forMs);
  all.forEach((one) => signalQuietly(one, 'SIGCONT'));
  return true;
}

function victimsOf(dial: ProcessDial, victim: 0 | 1): MemberName[] {
  switch (dial) {
    case 'kill-api':
    case 'stop-api':
    case 'term-api':
      return [`api-${victim}`];
    case 'kill-apis':
      return ['api-0', 'api-1'];
    case 'kill-worker':
    case 'stop-worker':
    case 'term-worker':
      return [`worker-${victim}`];
    case 'kill-workers':
      return ['worker-0', 'worker-1'];
    case 'kill-temporal':
    case 'stop-temporal':
      return ['temporal'];
    case 'kill-simulator':
    case 'stop-simulator':
      return ['simulator'];
    case 'kill-receiver':
    case 'stop-receiver':
      return [`receiver-${victim}`];
    case 'kill-postgres':
    case 'stop-postgres':
    case 'quit-postgres':
    case 'kill-backend':
      return ['postgres'];
    case 'kill-everything':
      return [
        'postgres',
        'temporal',
        'simulator',
        'receiver-0',
        'receiver-1',
        'api-0',
        'api-1',
        'worker-0',
        'worker-1',
      ];
  }
}

interface OwnChild {
  readonly pid: number;
  readonly command: string;
}

async function childrenOf(parent: number): Promise<OwnChild[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-ww', '-o', 'pid=,ppid=,args=']);
  return stdout.split('\n').flatMap((line) => {
    const [, pid, ppid, command = ''] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
    return Number(ppid) === parent ? [{ pid: Number(pid), command }] : [];
  });
}

/** Returns the pid of a session of Lenden's processes, not of Postgres's own processes. */
async function sessionOf(postgres: Member | undefined): Promise<number | undefined> {
  const pid = postgres?.pid();
  const sessions =
    pid === undefined ? [] : (await childrenOf(pid)).filter(({ command }) => command.includes(' lenden '));
  return sessions[0]?.pid;
}

function signalQuietly(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // The process has ended meanwhile.
  }
}
