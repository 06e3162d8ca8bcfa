import { Alert, Group, Stack, TextInput, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useSearch } from '@tanstack/react-router';
import { api, dataOf } from '../api/client.ts';
import { Act, Note } from '../parts/act.tsx';
import { FilterForm } from '../parts/filter-form.tsx';
import { textOf } from '../parts/form.tsx';
import { List } from '../parts/list.tsx';
import { Loaded } from '../parts/loaded.tsx';
import { useMay } from '../session/session.tsx';
import { useMode } from '../shell/mode.ts';
import { useWords } from '../words/use-words.ts';
import { GrantFields, grantsOf } from './grant-fields.tsx';
import { RoleList } from './role-list.tsx';
import { OPERATOR_WORDS } from './words.ts';
import { Page } from '../parts/page.tsx';
import { Instant } from '../parts/instant.tsx';

export function OperatorsPage() {
  const words = useWords(OPERATOR_WORDS);
  const { path } = useMode();
  const may = useMay();
  const filter = useSearch({ from: '/$mode/operators' });
  return (
    <Page title={words.title} why={words.why} action={may('user:manage') && <InviteAct />}>
      <FilterForm
        filter={filter}
        fields={[
          { name: 'email', type: 'search', label: words.email },
          { name: 'status', label: words.status, options: words.statuses },
        ]}
      />
      <List
        label={words.title}
        queryKey={['operators', filter]}
        get={(page) =>
          api.GET('/admin/users', { params: { query: { ...filter, sortBy: 'email', order: 'ASC', ...page } } })
        }
        isNumbered
        columns={[
          {
            name: words.name,
            cell: ({ id, name }) => (
              <Link to="/$mode/operators/$id" params={{ mode: path, id: id.toString() }}>
                {name}
              </Link>
            ),
          },
          { name: words.email, from: 'sm', cell: ({ email }) => email },
          { name: words.roles, cell: ({ roles }) => <RoleList roles={roles} /> },
          { name: words.status, from: 'sm', cell: ({ status }) => words.statuses[status] },
          { name: words.secondFactor, from: 'md', cell: ({ secondFactor }) => (secondFactor ? words.yes : words.no) },
          {
            name: words.lastLogin,
            from: 'lg',
            cell: ({ lastLoginAt }) => (lastLoginAt === null ? words.never : <Instant at={lastLoginAt} />),
          },
        ]}
        keyOf={({ id }) => id}
        empty={words.empty}
      />
      <SettingsPart />
    </Page>
  );
}

function InviteAct() {
  const words = useWords(OPERATOR_WORDS);
  return (
    <Act
      label={words.invite}
      variant="filled"
      what={words.inviteAct}
      run={(form) =>
        dataOf(
          api.POST('/admin/users', {
            body: { email: textOf(form, 'email'), name: textOf(form, 'name'), grants: grantsOf(form) },
          }),
        )
      }
      refresh={[['operators'], ['changes']]}
      done={({ passwordLink }) => words.links[passwordLink]}
    >
      <TextInput name="email" type="email" label={words.email} required data-autofocus />
      <TextInput name="name" label={words.name} maxLength={100} required />
      <GrantFields grants={[]} />
    </Act>
  );
}

function SettingsPart() {
  const words = useWords(OPERATOR_WORDS);
  const may = useMay();
  const settings = useQuery({ queryKey: ['settings'], queryFn: () => dataOf(api.GET('/admin/settings')) });
  return (
    <Stack component="section" gap="xs">
      <Title order={2} size="h4">
        {words.settings}
      </Title>
      <Loaded asked={settings}>
        {({ secondFactorRequired }) => (
          <Group>
            <Alert color={secondFactorRequired ? 'teal' : 'gray'}>
              {secondFactorRequired ? words.required : words.notRequired}
            </Alert>
            {may('user:manage') && (
              <Act
                label={secondFactorRequired ? words.dontRequire : words.require}
                what={secondFactorRequired ? words.dontRequire : words.require}
                run={() =>
                  dataOf(api.PUT('/admin/settings', { body: { secondFactorRequired: !secondFactorRequired } }))
                }
                refresh={[['settings']]}
              >
                <Note>{secondFactorRequired ? words.dontRequireNote : words.requireNote}</Note>
              </Act>
            )}
          </Group>
        )}
      </Loaded>
    </Stack>
  );
}
