// Talks to a running API by the types that openapi-typescript has made of its document.
import createClient from "openapi-fetch";
import type { paths } from "./api.js";

const client = createClient<paths>({ baseUrl: process.argv[2] });
const { data, error } = await client.GET("/tasks", { params: { query: { status: ["running"], name: "render", page_size: 5 } } });
if (error !== undefined) throw new Error(error.detail);
const [task] = data.tasks;
if (data.tasks.length !== 1 || task.id !== "a/b" || task.progress?.percent == null) throw new Error(JSON.stringify(data));
const alone = await client.GET("/tasks/{id}", { params: { path: { id: task.id } } });
if (alone.data?.name !== "render") throw new Error(JSON.stringify(alone.data));
const cancelled = await client.DELETE("/tasks/{id}", { params: { path: { id: task.id } }, body: { reason: "seen" } });
const seen = cancelled.data?.cancel?.reason;
if (seen !== "seen") throw new Error(JSON.stringify(cancelled.data ?? cancelled.error));
