import { join } from 'node:path';
import { Router } from '@koa/router';
import type { HostParts, Simulator } from '../kit/host.ts';
import { createFaultQueue } from './faults.ts';
import { mailboxRoutes } from './routes.ts';
import { startSmtp } from './smtp.ts';
import { openMessageStore } from './store.ts';

export type MailboxOptions = Pick<HostParts, 'dataDir'> & {
  smtpHost: string;
  /** 0 picks a free port. */
  smtpPort: number;
};

/** Creates a mail server that stores the emails it receives and shows them on web pages. */
export async function createMailbox(options: MailboxOptions): Promise<Simulator & { smtpPort: number }> {
  const store = await openMessageStore(join(options.dataDir, 'mailbox'));
  const faults = createFaultQueue();
  const smtp = await startSmtp({ host: options.smtpHost, port: options.smtpPort, store, faults });
  const router = new Router();
  mailboxRoutes(router, { store, faults });
  return {
    name: 'mailbox',
    router,
    smtpPort: smtp.port,
    async reset(suffix) {
      faults.clear();
      await store.reset(suffix);
    },
    async close() {
      await smtp.close();
      await store.settled();
    },
  };
}
