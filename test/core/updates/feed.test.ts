import { expect, test } from '@jest/globals';
import type { Database } from '../../../database/connection.ts';
import { createUpdateFeed } from '../../../core/updates/feed.ts';
import { createLogger } from '../../../runtime/logger.ts';

test('whoever follows is told that the process stops, also whoever begins to follow then', async () => {
  // A stream that stayed open would keep the process from ending until it is killed.
  const withOperator = (): Promise<never> => Promise.reject(new Error('the database is away'));
  const log = createLogger({ service: 'test', level: 'silent' });
  const feed = createUpdateFeed({ database: { withOperator } as unknown as Database, log });
  const ended: string[] = [];
  const follow = (name: string): void => {
    const unfollow = feed.follow('every-app', {
      changed: () => undefined,
      closed: () => {
        unfollow();
        ended.push(name);
      },
    });
  };
  follow('first');
  follow('second');
  feed.close();
  expect(ended).toEqual(['first', 'second']);
  follow('late');
  await Promise.resolve();
  expect(ended).toEqual(['first', 'second', 'late']);
});
