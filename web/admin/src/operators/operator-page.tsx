import { Alert, Group, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { api, dataOf, type Schemas } from '../api/client.ts';
import { Act, Note } from '../parts/act.tsx';
import { Facts } from '../parts/facts.tsx';
import { LoadedPage } from '../parts/loaded.tsx';
import { useMay, useMe } from '../session/session.tsx';
import { countOf } from '../words/format.ts';
import { useLanguage } from '../words/language.tsx';
import { useWords } from '../words/use-words.ts';
import { GrantFields, grantsOf } from './grant-fields.tsx';
import { RoleList } from './role-list.tsx';
import { OPERATOR_WORDS } from './words.ts';
import { Instant } from '../parts/instant.tsx';

const EVERY_MS = 10_000;

type Operator = Schemas['Operator'];

export function OperatorPage() {
  const { id } = useParams({ from: '/$mode/operators/$id' });
  const operator = useQuery({
    queryKey: ['operators', 'one', id],
    queryFn: () => dataOf(api.GET('/admin/users/{id}', { params: { path: { id: Number(id) } } })),
    // Another person may confirm what waits.
    refetchInterval: EVERY_MS,
  });
  return <LoadedPage asked={operator}>{(data) => <Detail operator={data} />}</LoadedPage>;
}

function Detail({ operator }: { readonly operator: Operator }) {
  const words = useWords(OPERATOR_WORDS);
  const may = useMay();
  const me = useMe();
  return (
    <Stack>
      <Stack gap={0}>
        <Title order={1} size="h3">
          {operator.name}
        </Title>
        <Text c="dimmed">{operator.email}</Text>
      </Stack>
      {operator.pendingChanges.length > 0 && <Alert color="orange">{words.waits}</Alert>}
      <Facts
        facts={[
          [words.status, words.statuses[operator.status]],
          [words.roles, <RoleList key="roles" roles={operator.roles} />],
          [words.secondFactor, operator.secondFactor ? words.yes : words.no],
          [
            words.lastLogin,
            operator.lastLoginAt === null ? words.never : <Instant key="at" at={operator.lastLoginAt} />,
          ],
        ]}
      />
      {may('user:manage') && operator.id !== me.operator.id && <Changes operator={operator} />}
    </Stack>
  );
}

function Changes({ operator: { id, name, status, roles } }: { readonly operator: Operator }) {
  const words = useWords(OPERATOR_WORDS);
  const { language } = useLanguage();
  const params = { path: { id } };
  const refresh = [['operators'], ['changes']];
  return (
    <Group>
      <Act
        label={words.setRoles}
        what={words.setRolesAct(name)}
        run={(form) => dataOf(api.PUT('/admin/users/{id}/roles', { params, body: { grants: grantsOf(form) } }))}
        refresh={refresh}
        done={({ pendingChanges }) => (pendingChanges.length > 0 ? words.waits : words.saved)}
      >
        <GrantFields grants={roles} />
      </Act>
      <Act
        label={words.link}
        what={words.linkAct(name)}
        run={() => dataOf(api.POST('/admin/users/{id}/password-link', { params }))}
        refresh={refresh}
        done={({ passwordLink }) => words.links[passwordLink]}
      >
        <Note>{words.linkNote}</Note>
      </Act>
      <Act
        label={words.endSessions}
        what={words.endSessionsAct(name)}
        run={() => dataOf(api.POST('/admin/users/{id}/sessions/end', { params }))}
        refresh={refresh}
        done={({ ended }) => words.ended(countOf(ended, language))}
      >
        <Note>{words.endSessionsNote}</Note>
      </Act>
      {status === 'ACTIVE' ? (
        <Act
          color="red"
          label={words.disable}
          what={words.disableAct(name)}
          run={() => dataOf(api.POST('/admin/users/{id}/disable', { params }))}
          refresh={refresh}
        >
          <Note>{words.disableNote}</Note>
        </Act>
      ) : (
        <Act
          label={words.enable}
          what={words.enableAct(name)}
          run={() => dataOf(api.POST('/admin/users/{id}/enable', { params }))}
          refresh={refresh}
          done={({ pendingChanges }) => (pendingChanges.length > 0 ? words.waits : words.saved)}
        >
          <Note>{words.enableNote}</Note>
        </Act>
      )}
    </Group>
  );
}
