import { Alert, Checkbox, Group, Stack, Text, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { PERMISSIONS } from '../../../../domain/permissions.ts';
import { api, bodyOf, dataOf, type Schemas } from '../api/client.ts';
import { Act, Note } from '../parts/act.tsx';
import { textOf } from '../parts/form.tsx';
import { DataTable } from '../parts/list.tsx';
import { Loaded } from '../parts/loaded.tsx';
import { useMay } from '../session/session.tsx';
import { useWords } from '../words/use-words.ts';
import { ROLE_WORDS } from './words.ts';
import { Page } from '../parts/page.tsx';

const REFRESHED = [['roles'], ['operators'], ['changes']];

type Role = Schemas['Role'];

export function RolesPage() {
  const words = useWords(ROLE_WORDS);
  const may = useMay();
  const roles = useQuery({
    queryKey: ['roles', 'all'],
    queryFn: () => dataOf(api.GET('/admin/roles', { params: { query: { paginate: 'false' } } })),
  });
  return (
    <Page
      title={words.title}
      why={words.why}
      action={
        may('user:manage') && (
          <Act
            label={words.create}
            variant="filled"
            what={words.createAct}
            run={(form) => dataOf(api.POST('/admin/roles', { body: roleOf(form) }))}
            refresh={REFRESHED}
          >
            <RoleFields role={null} />
          </Act>
        )
      }
    >
      <Loaded asked={roles}>
        {(rows) => (
          <DataTable
            label={words.title}
            rows={rows}
            keyOf={({ id }) => id}
            columns={[
              { name: words.name, cell: (role) => <Name role={role} /> },
              {
                name: words.permissions,
                cell: ({ everything, permissions }) =>
                  everything ? (
                    words.everything
                  ) : (
                    <Stack gap={0}>
                      {permissions.map((permission) => (
                        <Text key={permission} size="sm">
                          {words.meanings[permission]}
                        </Text>
                      ))}
                    </Stack>
                  ),
              },
              { name: words.change, from: 'sm', cell: (role) => <Changes role={role} /> },
            ]}
          />
        )}
      </Loaded>
    </Page>
  );
}

function Name({ role: { name, description, seeded, pendingChanges } }: { readonly role: Role }) {
  const words = useWords(ROLE_WORDS);
  return (
    <>
      <Text fw={600}>{name}</Text>
      <Text size="sm" c="dimmed">
        {seeded ? words.seeded : description}
      </Text>
      {pendingChanges.length > 0 && <Alert color="orange">{words.waits}</Alert>}
    </>
  );
}

function Changes({ role }: { readonly role: Role }) {
  const words = useWords(ROLE_WORDS);
  const may = useMay();
  const { id, name, seeded } = role;
  const params = { path: { id } };
  if (seeded || !may('user:manage')) {
    return null;
  }
  return (
    <Group gap="xs">
      <Act
        size="xs"
        label={words.edit}
        what={words.editAct(name)}
        run={(form) => dataOf(api.PUT('/admin/roles/{id}', { params, body: roleOf(form) }))}
        refresh={REFRESHED}
        done={({ pendingChanges }) => (pendingChanges.length > 0 ? words.waits : words.saved)}
      >
        <RoleFields role={role} />
      </Act>
      <Act
        size="xs"
        color="red"
        label={words.remove}
        what={words.removeAct(name)}
        run={() => bodyOf(api.DELETE('/admin/roles/{id}', { params }))}
        refresh={REFRESHED}
      >
        <Note>{words.removeNote}</Note>
      </Act>
    </Group>
  );
}

function RoleFields({ role }: { readonly role: Role | null }) {
  const words = useWords(ROLE_WORDS);
  return (
    <>
      <TextInput
        name="name"
        label={words.name}
        defaultValue={role?.name ?? ''}
        maxLength={50}
        required
        data-autofocus
      />
      <TextInput name="description" label={words.description} defaultValue={role?.description ?? ''} maxLength={255} />
      <Checkbox.Group label={words.permissions} defaultValue={[...(role?.permissions ?? [])]}>
        <Stack gap="xs" mt="xs">
          {PERMISSIONS.map((permission) => (
            <Checkbox
              key={permission}
              name="permissions"
              value={permission}
              label={words.meanings[permission]}
              description={permission}
            />
          ))}
        </Stack>
      </Checkbox.Group>
    </>
  );
}

function roleOf(form: FormData): Schemas['RoleBody'] {
  const chosen = new Set(form.getAll('permissions'));
  const description = textOf(form, 'description');
  return {
    name: textOf(form, 'name'),
    ...(description === '' ? {} : { description }),
    permissions: PERMISSIONS.filter((permission) => chosen.has(permission)),
  };
}
