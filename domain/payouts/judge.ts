import { keysOfMovement } from './choose-movement.ts';
import { chooseMovements } from './choose-movements.ts';
import { costGroupOf, movedBy } from './file-word.ts';
import { matched } from './finding.ts';
import { judgeAlone } from './judge-alone.ts';
import { type JudgedBy, judgeGroup } from './judge-group.ts';
import type { LineVerdict, Movement, MovementVerdict, StoredLine } from './matching.ts';
import type { Correction } from './reconciliation.ts';

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
  /** What people have said of lines, by the line's id. It comes before what a line says itself. */
  readonly corrections?: ReadonlyMap<bigint, Correction>;
  /** What the costs of no charge add up to in the books, by `costGroupOf` the line. Without it, each line counts alone. */
  readonly costSums?: ReadonlyMap<string, bigint>;
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
export function judge(
  { movements, lines, pendingReferences, corrections = NONE, costSums = NO_SUMS }: Books,
  judgedBy: JudgedBy,
): Judgement {
  const choices = chooseMovements(
    lines.filter(({ id }) => !corrections.has(id)),
    movements,
  );
  const groups = new Map<string, { movement: Movement; lines: StoredLine[] }>(
    movements.map((movement) => [movement.key, { movement, lines: [] }]),
  );
  const movementKeys = new Set(movements.flatMap(keysOfMovement));
  const alone: LineVerdict[] = [];
  for (const line of lines) {
    const correction = corrections.get(line.id);
    if (correction !== undefined && 'account' in correction) {
      alone.push({ lineId: line.id, movementKey: null, candidateKeys: [], ...matched('CORRECTED') });
      continue;
    }
    const choice =
      correction === undefined
        ? (choices.get(line.id) ?? null)
        : (groups.get(correction.movementKey)?.movement ?? null);
    if (choice !== null && 'key' in choice) {
      groups.get(choice.key)?.lines.push(line);
    } else {
      const group = costGroupOf(line);
      const ownMinor = movedBy(line);
      const costMinor = group === null ? ownMinor : (costSums.get(group) ?? ownMinor);
      alone.push(judgeAlone(line, { choice, pendingReferences, movementKeys, costMinor }));
    }
  }
  const judged = [...groups.values()].map((group) => judgeGroup(group, judgedBy));
  return {
    lines: [...alone, ...judged.flatMap((verdicts) => verdicts.lines)],
    movements: judged.map(({ movement }) => movement),
  };
}

const NO_SUMS: ReadonlyMap<string, bigint> = new Map();
const NONE: ReadonlyMap<bigint, Correction> = new Map();
