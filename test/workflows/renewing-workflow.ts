import { condition, defineQuery, defineSignal, defineUpdate, setHandler, upsertMemo } from '@temporalio/workflow';
import { Inbox } from '../../workflows/inbox.ts';
import { renewWhenLong } from '../../workflows/renew.ts';

export const noteSignal = defineSignal<[text: string]>('note');
/** Lets the loop begin. Everything sent before is then in the inbox. */
export const beginSignal = defineSignal('begin');
export const hasBegunQuery = defineQuery<boolean>('has-begun');
export const releaseSignal = defineSignal('release');
/** Returns the number of the run once it is released; with `by-the-loop`, once the loop has also taken its message. */
export const answerUpdate = defineUpdate<number, ['by-itself' | 'by-the-loop']>('answer');

/** At this length the server suggests to continue as new. */
const LONG_HISTORY_EVENTS = 4_096;

interface Note {
  readonly kind: 'note';
  readonly text: string;
  isTaken: boolean;
}

/** A loop in the form of our workflows. Returns which run took which note, and ends at the note `stop`. */
export async function renewingWorkflow(
  events: number = LONG_HISTORY_EVENTS,
  run = 1,
  taken: string[] = [],
): Promise<string[]> {
  const inbox = new Inbox<Note>();
  let begins = run > 1;
  let isReleased = false;
  const put = (text: string): Note => {
    const note: Note = { kind: 'note', text, isTaken: false };
    inbox.put(note);
    return note;
  };
  setHandler(noteSignal, (text) => {
    put(text);
  });
  setHandler(beginSignal, () => {
    begins = true;
  });
  setHandler(hasBegunQuery, () => begins);
  setHandler(releaseSignal, () => {
    isReleased = true;
  });
  setHandler(answerUpdate, async (how) => {
    await condition(() => isReleased);
    if (how === 'by-the-loop') {
      const note = put(how);
      await condition(() => note.isTaken);
    }
    return run;
  });
  const eventsOfThisRun = run === 1 ? events : 0;
  for (let event = 0; event < eventsOfThisRun; event += 1) {
    upsertMemo({ event });
  }
  await condition(() => begins);
  for (;;) {
    await renewWhenLong<typeof renewingWorkflow>(inbox, events, run + 1, taken);
    await condition(() => !inbox.isEmpty);
    for (const note of inbox.take('note')) {
      note.isTaken = true;
      taken.push(`${note.text} in run ${run}`);
    }
    if (taken.some((text) => text.startsWith('stop '))) {
      return taken;
    }
  }
}
