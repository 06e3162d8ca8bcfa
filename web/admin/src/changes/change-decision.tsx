import { Group, Stack, Text } from '@mantine/core';
import { dataOf, type Schemas } from '../api/client.ts';
import { Act, Note } from '../parts/act.tsx';
import { textOf } from '../parts/form.tsx';
import { RawText } from '../parts/raw-text.tsx';
import { ReasonField } from '../parts/reason-field.tsx';
import { OperatorName } from '../session/operator-name.tsx';
import { useMe } from '../session/session.tsx';
import { useWords } from '../words/use-words.ts';
import { CHANGES, type Area } from './areas.ts';
import { CHANGE_WORDS } from './words.ts';

type Change = Schemas['PendingChange'];

const REFRESHED = [
  ['changes'],
  ['inbox'],
  ['applications'],
  ['application'],
  ['operators'],
  ['roles'],
  ['gateways'],
  ['payout'],
  ['cases'],
];

/** What this person can do with a change: its proposer withdraws it, others confirm or reject it. */
export function ChangeDecision({ change, area }: { readonly change: Change; readonly area: Area }) {
  const words = useWords(CHANGE_WORDS);
  const { operator } = useMe();
  const { id, status, proposedBy, decidedBy } = change;
  if (status !== 'PENDING') {
    return decidedBy === null ? words.statuses[status] : <OperatorName by={decidedBy} />;
  }
  const what = `${words.kinds[change.kind]} (${change.target.type} ${change.target.id})`;
  const acts = CHANGES[area];
  if (proposedBy === `operator:${operator.id}`) {
    return (
      <Stack gap="xs">
        <Text size="sm">{words.own}</Text>
        <Act
          size="xs"
          label={words.withdraw}
          what={words.withdrawAct(what)}
          run={() => dataOf(acts.withdraw(id))}
          refresh={REFRESHED}
        >
          <Note>{words.withdrawNote}</Note>
        </Act>
      </Stack>
    );
  }
  return (
    <Group gap="xs">
      <Act
        size="xs"
        label={words.confirm}
        what={words.confirmAct(what)}
        run={() => dataOf(acts.confirm(id))}
        refresh={REFRESHED}
      >
        <Difference change={change} />
      </Act>
      <Act
        size="xs"
        color="red"
        label={words.reject}
        what={words.rejectAct(what)}
        run={(form) => dataOf(acts.reject(id, textOf(form, 'reason')))}
        refresh={REFRESHED}
      >
        <Difference change={change} />
        <ReasonField />
      </Act>
    </Group>
  );
}

function Difference({ change: { before, after } }: { readonly change: Change }) {
  const words = useWords(CHANGE_WORDS);
  return (
    <>
      <Text fw={600}>{words.before}</Text>
      <RawText text={JSON.stringify(before)} label={words.before} />
      <Text fw={600}>{words.after}</Text>
      <RawText text={JSON.stringify(after)} label={words.after} />
    </>
  );
}
