import { Group, Stack, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';

/** A page of the menu: its name, what it is for, and what can be done here. */
export function Page({
  title,
  why,
  action,
  children,
}: {
  readonly title: string;
  readonly why?: string;
  readonly action?: ReactNode;
  readonly children: ReactNode;
}) {
  return (
    <Stack>
      <Group justify="space-between">
        <Title order={1} size="h3">
          {title}
        </Title>
        {action}
      </Group>
      {why !== undefined && <Text c="dimmed">{why}</Text>}
      {children}
    </Stack>
  );
}
