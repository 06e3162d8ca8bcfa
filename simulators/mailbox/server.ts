import { startHost } from '../kit/host.ts';
import { createMailbox } from './mailbox.ts';

export type RunningMailbox = {
  /** Origin of the pages and the control API. */
  url: string;
  smtpPort: number;
  close(): Promise<void>;
};

/** Starts only the mailbox, inside this process, on free ports, for tests. */
export async function startMailbox({ dataDir }: { dataDir: string }): Promise<RunningMailbox> {
  let smtpPort = 0;
  const host = await startHost({
    host: '127.0.0.1',
    port: 0,
    dataDir,
    mount: async (parts) => {
      const mailbox = await createMailbox({ ...parts, smtpHost: '127.0.0.1', smtpPort: 0 });
      ({ smtpPort } = mailbox);
      return [mailbox];
    },
  });
  return { url: host.url, smtpPort, close: host.close };
}
