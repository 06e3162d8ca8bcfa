import { Group, Stack, Text } from '@mantine/core';
import { dataOf, type Schemas } from '../api/client.ts';
import { Act, Note } from '../parts/act.tsx';
import { textOf } from '../parts/form.tsx';
import { DataTable } from '../parts/list.tsx';
import { ReasonField } from '../parts/reason-field.tsx';
import { OperatorName } from '../session/operator-name.tsx';
import { useMe } from '../session/session.tsx';
import { useWords } from '../words/use-words.ts';
import { CHANGES, type Area } from './areas.ts';
import { useTargetName } from './target-name.ts';
import { nameOfMember, useMemberText } from './member-text.ts';
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
  const target = useTargetName();
  const { id, status, proposedBy, decidedBy } = change;
  if (status !== 'PENDING') {
    return decidedBy === null ? words.statuses[status] : <OperatorName by={decidedBy} />;
  }
  const what = `${words.kinds[change.kind]} (${target(change.target)})`;
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

/** What changes, member by member. */
function Difference({ change }: { readonly change: Change }) {
  const { before, after } = change;
  const words = useWords(CHANGE_WORDS);
  const textOfMember = useMemberText(change);
  const members = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    (name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]),
  );
  return (
    <DataTable
      label={words.after}
      rows={members}
      keyOf={(name) => name}
      columns={[
        { name: words.member, cell: (name) => nameOfMember(name) },
        { name: words.before, cell: (name) => textOfMember(name, before[name]) },
        { name: words.after, cell: (name) => textOfMember(name, after[name]) },
      ]}
    />
  );
}
