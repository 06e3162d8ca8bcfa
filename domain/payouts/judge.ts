import { chooseMovements } from './choose-movements.ts';
import { judgeAlone } from './judge-alone.ts';
import { type JudgedBy, judgeGroup } from './judge-group.ts';
import type { LineVerdict, Movement, MovementVerdict, StoredLine } from './matching.ts';

/**
 * What is judged at once: lines and movements that may concern each other, all of them. They are found by turns until nothing is added: the movements that have one of
 * `keysOf` a line among `keysOfMovement`, and the lines that have one of those keys. That is rarely more than a charge, its refunds and their lines.
 * Whatever else is judged along with them changes nothing.
 */
export interface Books {
  readonly movements: readonly Movement[];
  readonly lines: readonly StoredLine[];
  /** See `judgeAlone`. */
  readonly pendingReferences: ReadonlySet<string>;
}

/** One verdict for each line and each movement. */
export interface Judgement {
  readonly lines: readonly LineVerdict[];
  readonly movements: readonly MovementVerdict[];
}

/**
 * Judges lines and movements that know of each other. Nothing is left out and nothing is judged twice: every line is in the group of one movement or alone.
 * The verdicts do not depend on the order of anything, and do not change when they are judged again.
 */
export function judge({ movements, lines, pendingReferences }: Books, judgedBy: JudgedBy): Judgement {
  const choices = chooseMovements(lines, movements);
  const groups = new Map<string, { movement: Movement; lines: StoredLine[] }>(
    movements.map((movement) => [movement.key, { movement, lines: [] }]),
  );
  const alone: LineVerdict[] = [];
  for (const line of lines) {
    const choice = choices.get(line.id) ?? null;
    if (choice !== null && 'key' in choice) {
      groups.get(choice.key)?.lines.push(line);
    } else {
      alone.push(judgeAlone(line, { choice, pendingReferences }));
    }
  }
  const judged = [...groups.values()].map((group) => judgeGroup(group, judgedBy));
  return {
    lines: [...alone, ...judged.flatMap((verdicts) => verdicts.lines)],
    movements: judged.map(({ movement }) => movement),
  };
}
