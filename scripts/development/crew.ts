import type { Child } from '../shared/child.ts';
import type { StackRecord } from './stack-record.ts';
import { supervise, type Supervised } from './supervisor.ts';

/** Applications stop before the servers that they depend on. */
export type Rank = 'application' | 'server';

export interface Crew {
  /** Aborted when the crew is being dismissed, which ends all waiting for processes to become ready. */
  readonly stopped: AbortSignal;
  /** Starts a process and keeps it running until the crew is dismissed. */
  keep(member: { name: string; rank: Rank; start: () => Promise<Child> }): Promise<Supervised>;
  /** Runs a process once, until it exits. */
  once(name: string, start: () => Promise<Child>): Promise<{ child: Child; ending: string }>;
  /** Stops everything, applications first. Safe to call twice and while processes are still starting. */
  dismiss(): Promise<void>;
}

export interface CrewSettings {
  readonly record: StackRecord;
  readonly say: (line: string) => void;
  /** Called whenever a process was started or restarted. */
  readonly onStarted: () => void;
  readonly onGivenUp: (reason: string) => void;
}

export function assembleCrew({ record, say, onStarted, onGivenUp }: CrewSettings): Crew {
  const stopping = new AbortController();
  const members: Record<Rank, Promise<Supervised>[]> = { application: [], server: [] };
  const note = (name: string, child: Child) => {
    record.note(name, child.identity);
    onStarted();
  };
  return {
    stopped: stopping.signal,
    keep({ name, rank, start }) {
      stopping.signal.throwIfAborted();
      const member = supervise({ name, start, say, onGivenUp, onStarted: (child) => note(name, child) });
      members[rank].push(member);
      return member;
    },
    async once(name, start) {
      stopping.signal.throwIfAborted();
      const child = await start();
      record.note(name, child.identity);
      const stop = () => void child.stop();
      stopping.signal.addEventListener('abort', stop);
      const ending = await child.exited;
      stopping.signal.removeEventListener('abort', stop);
      record.forget(name);
      return { child, ending };
    },
    async dismiss() {
      stopping.abort();
      await stopAll(members.application);
      await stopAll(members.server);
      record.close();
    },
  };
}

/** Skips members that never started, because they have cleaned up after themselves. */
async function stopAll(members: readonly Promise<Supervised>[]): Promise<void> {
  const settled = await Promise.allSettled(members);
  await Promise.all(settled.map((member) => (member.status === 'fulfilled' ? member.value.stop() : Promise.resolve())));
}
