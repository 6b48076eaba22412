// Command goclients talks to a running API, at the address that it is given, by the clients that two
// generators have made of its OpenAPI document. It fails when an answer is not what was submitted.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"

	"goclients/oapi"
	"goclients/ogen"
)

func main() {
	log.SetFlags(0)
	for name, talk := range map[string]func(context.Context, string) error{"ogen": talkByOgen, "oapi-codegen": talkByOAPI} {
		if err := talk(context.Background(), os.Args[1]); err != nil {
			log.Fatalf("%s: %v", name, err)
		}
	}
}

func talkByOgen(ctx context.Context, url string) error {
	client, err := ogen.NewClient(url)
	if err != nil {
		return err
	}
	listed, err := client.ListTasks(ctx, ogen.ListTasksParams{Status: []ogen.Status{ogen.StatusRunning}, Name: ogen.NewOptString("render"), PageSize: ogen.NewOptInt64(5)})
	if err != nil {
		return err
	}
	page, ok := listed.(*ogen.TaskPageHeaders)
	if !ok || len(page.Response.Tasks) != 1 {
		return fmt.Errorf("the list is %+v", listed)
	}
	task := page.Response.Tasks[0]
	if percent, ok := task.Progress.Value.Percent.Get(); task.ID != "a/b" || task.Progress.Value.Total != 1<<53+1 || !ok || percent <= 0 {
		return fmt.Errorf("the task is %+v", task)
	}
	got, err := client.GetTask(ctx, ogen.GetTaskParams{ID: task.ID})
	if err != nil {
		return err
	}
	if alone, ok := got.(*ogen.GetTaskOKHeaders); !ok || alone.Response.ID != task.ID || alone.BackgroundInstance == "" {
		return fmt.Errorf("alone it is %+v", got)
	}
	unknown, err := client.GetTask(ctx, ogen.GetTaskParams{ID: "unknown"})
	if err != nil {
		return err
	}
	if problem, ok := unknown.(*ogen.GetTaskNotFound); !ok || problem.Status != 404 {
		return fmt.Errorf("an unknown one is %+v", unknown)
	}
	stats, err := client.GetStats(ctx)
	if err != nil {
		return err
	}
	if counts, ok := stats.(*ogen.StatsHeaders); !ok || counts.Response.Running != 1 {
		return fmt.Errorf("the statistics are %+v", stats)
	}
	return nil
}

func talkByOAPI(ctx context.Context, url string) error {
	client, err := oapi.NewClientWithResponses(url)
	if err != nil {
		return err
	}
	name, status := "render", []oapi.Status{oapi.StatusRunning}
	page, err := client.ListTasksWithResponse(ctx, &oapi.ListTasksParams{Name: &name, Status: &status})
	if err != nil {
		return err
	}
	if page.JSON200 == nil || len(page.JSON200.Tasks) != 1 {
		return fmt.Errorf("the list is %s", page.Body)
	}
	task := page.JSON200.Tasks[0]
	if task.Id != "a/b" || task.Progress == nil || task.Progress.Total != 1<<53+1 || task.Progress.Percent == nil {
		return fmt.Errorf("the task is %s", page.Body)
	}
	got, err := client.GetTaskWithResponse(ctx, task.Id, nil)
	if err != nil {
		return err
	}
	if got.JSON200 == nil || got.JSON200.Id != task.Id {
		return fmt.Errorf("alone it is %s", got.Body)
	}
	stats, err := client.GetStatsWithResponse(ctx)
	if err != nil {
		return err
	}
	if stats.JSON200 == nil || stats.JSON200.Running != 1 {
		return fmt.Errorf("the statistics are %s", stats.Body)
	}
	cancelled, err := client.CancelTaskWithResponse(ctx, "unknown", oapi.CancelTaskJSONRequestBody{})
	if err != nil {
		return err
	}
	if cancelled.ApplicationproblemJSON404 == nil {
		return errors.New("an unknown task was cancelled")
	}
	return nil
}
