import { join } from 'node:path';
import type { ChargeLog } from './charge-log.ts';
import { openDurableLog } from './durable-log.ts';
import type { HostParts } from './host.ts';

/** What every simulated gateway consists of: its state and its logs. */
export type GatewayCore<State, Entry> = {
  state: State;
  publicUrl: string;
  charges: ChargeLog;
  closing: AbortSignal;
  /** Changes the state and appends to the journal in one step. */
  record(entry: Entry): void;
  /** Resolves once every recorded entry is on disk. Nothing is answered or sent before that. */
  settled(): Promise<void>;
};

export type OpenedGateway<State, Entry> = {
  core: GatewayCore<State, Entry>;
  /** Puts the journal aside and clears the state. */
  reset(suffix: string): Promise<void>;
  close(): Promise<void>;
};

export type GatewayOptions<Settings> = HostParts & {
  /** Overrides the settings in the journal. */
  settings?: Partial<Settings>;
};

type SettingsEntry<Settings> = { type: 'settings'; settings: Partial<Settings> };

/** Opens `journal.jsonl` in the gateway's folder and restores the state from it. */
export async function openGateway<State extends { apply: (entry: Entry) => void }, Entry, Settings>(
  options: GatewayOptions<Settings>,
  given: {
    name: string;
    state: State & { apply: (entry: Entry | SettingsEntry<Settings>) => void };
    clear: (state: State) => void;
  },
): Promise<OpenedGateway<State, Entry | SettingsEntry<Settings>>> {
  const { dataDir, publicUrl, charges, closing, settings } = options;
  const { name, state, clear } = given;
  type AnyEntry = Entry | SettingsEntry<Settings>;
  const { log: journal, entries } = await openDurableLog<AnyEntry>(join(dataDir, name, 'journal.jsonl'));
  entries.forEach(state.apply);
  const record = (entry: AnyEntry): void => {
    journal.append(entry);
    state.apply(entry);
  };
  if (settings) {
    record({ type: 'settings', settings });
  }
  return {
    core: {
      state,
      publicUrl,
      charges,
      closing,
      record,
      async settled() {
        // The journal first: after a crash, lines missing from the charge log are restored from it.
        await journal.settled();
        await charges.settled();
      },
    },
    async reset(suffix) {
      await journal.rotate(suffix);
      clear(state);
    },
    close: () => journal.close(),
  };
}
