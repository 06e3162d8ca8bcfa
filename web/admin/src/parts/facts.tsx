import { Box, SimpleGrid, Text } from '@mantine/core';
import type { ReactNode } from 'react';

/** What is known of something, each with its name. */
export function Facts({ facts }: { readonly facts: readonly (readonly [name: string, value: ReactNode])[] }) {
  return (
    <SimpleGrid component="dl" cols={{ base: 2, sm: 3, lg: 4 }} m={0}>
      {facts.map(([name, value]) => (
        <Box key={name}>
          <Text component="dt" size="sm" c="dimmed">
            {name}
          </Text>
          <Text component="dd" m={0} className="breaks">
            {value}
          </Text>
        </Box>
      ))}
    </SimpleGrid>
  );
}
