import type { Check, Outcome } from './check.ts';
import type { Catch, Defect } from './defect.ts';
import { EditDoesNotApply, type WorkingCopy } from './working-copy.ts';

export interface Verdict {
  readonly caught: boolean;
  /** What else the check named, or why the defect was not caught. */
  readonly remark: string;
  /** The check's last output, if it did not do what it should. */
  readonly lastWords: string;
}

/** Plants one defect, runs one check and restores the copy. */
export type Try = (defect: Defect, by: Catch) => Promise<Verdict>;

/**
 * Returns a function that tries defects. A failing check proves something only if it passes without the defect and fails for the expected reason.
 * Whether it passes without a defect is tested once for each check.
 */
export function trials(copy: WorkingCopy, stop: AbortSignal): Try {
  const sound = new Map<string, Promise<Outcome>>();
  return async (defect, { check, names }) => {
    const run = (): Promise<Outcome> => runTwiceIfNeeded(check, copy.directory, stop);
    const before = await remember(sound, check, run);
    if (!before.passed) {
      return escaped(`the check does not pass without the defect: ${listOf(before)}`, before);
    }
    try {
      copy.plant(defect.edits);
      return verdictOf(await run(), names);
    } catch (error) {
      if (error instanceof EditDoesNotApply) {
        return escaped(error.message);
      }
      throw error;
    } finally {
      copy.restore();
    }
  };
}

/** Runs a check again if it neither passes nor names anything. It could not run then, for example because another program took a server's port. */
async function runTwiceIfNeeded(check: Check, tree: string, stop: AbortSignal): Promise<Outcome> {
  const outcome = await check.run(tree, stop);
  return outcome.passed || outcome.failed.length > 0 || stop.aborted ? outcome : check.run(tree, stop);
}

function verdictOf(outcome: Outcome, names: string): Verdict {
  if (outcome.passed) {
    return escaped('the check passed', outcome);
  }
  if (!outcome.failed.includes(names)) {
    return escaped(`the check failed for another reason: ${listOf(outcome)}`, outcome);
  }
  const others = outcome.failed.filter((name) => name !== names);
  return { caught: true, remark: others.length === 0 ? '' : `also ${others.join(', ')}`, lastWords: '' };
}

function escaped(remark: string, outcome?: Outcome): Verdict {
  return { caught: false, remark, lastWords: outcome?.lastWords ?? '' };
}

function listOf({ failed }: Outcome): string {
  return failed.length === 0 ? 'it names nothing' : failed.join(', ');
}

function remember(sound: Map<string, Promise<Outcome>>, { command }: Check, run: () => Promise<Outcome>) {
  const known = sound.get(command) ?? run();
  sound.set(command, known);
  return known;
}
