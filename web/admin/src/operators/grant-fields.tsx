import { Button, Group, NativeSelect, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, dataOf, type Schemas } from '../api/client.ts';
import { useApplicationNames } from '../applications/application-names.ts';
import { Loaded } from '../parts/loaded.tsx';
import { useWords } from '../words/use-words.ts';
import { OPERATOR_WORDS } from './words.ts';

type Grant = Schemas['Grants']['grants'][number];

/** The grants of a form: as many pairs of `roleId` and `grantApplicationId` as it has lines. */
export function grantsOf(form: FormData): Grant[] {
  const applications = form.getAll('grantApplicationId');
  return form.getAll('roleId').map((roleId, line) => {
    const application = applications[line];
    return { roleId: Number(roleId), applicationId: application === '' ? null : Number(application) };
  });
}

interface Line {
  readonly key: number;
  readonly roleId: number;
  readonly applicationId: number | null;
}

export function GrantFields({ grants }: { readonly grants: Schemas['Operator']['roles'] }) {
  const words = useWords(OPERATOR_WORDS);
  const applications = useApplicationNames();
  const [lines, setLines] = useState<readonly Line[]>(() =>
    grants.map(({ roleId, applicationId }, key) => ({ key, roleId, applicationId })),
  );
  const roles = useQuery({
    queryKey: ['roles', 'names'],
    queryFn: () => dataOf(api.GET('/admin/roles', { params: { query: { paginate: 'false' } } })),
  });
  return (
    <Loaded asked={roles}>
      {(all) => (
        <Stack gap="xs">
          <Text size="sm" c="dimmed">
            {words.grants}
          </Text>
          {lines.map(({ key, roleId, applicationId }) => (
            <Group key={key} align="flex-end" gap="xs">
              <NativeSelect
                name="roleId"
                label={words.role}
                defaultValue={roleId}
                data={all.map(({ id, name }) => ({ value: id.toString(), label: name }))}
              />
              <NativeSelect
                name="grantApplicationId"
                label={words.application}
                defaultValue={applicationId ?? ''}
                data={[
                  { value: '', label: words.everywhere },
                  ...Object.entries(applications).map(([value, label]) => ({ value, label })),
                ]}
              />
              <Button
                variant="default"
                size="xs"
                onClick={() => setLines((before) => before.filter((line) => line.key !== key))}
              >
                {words.removeGrant}
              </Button>
            </Group>
          ))}
          <Button
            variant="default"
            size="xs"
            onClick={() =>
              setLines((before) => [
                ...before,
                {
                  key: Math.max(0, ...before.map((line) => line.key)) + 1,
                  roleId: all[0]?.id ?? 0,
                  applicationId: null,
                },
              ])
            }
          >
            {words.addGrant}
          </Button>
        </Stack>
      )}
    </Loaded>
  );
}
