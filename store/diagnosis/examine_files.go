package diagnosis

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/superduperai/sessionbot/store"
)

// files adds the state of the session's file. One that was seen finished is not
// requested again; without an API its last known state counts. The error is one of the
// bot's own records.
func (x *Examiner) files(ctx context.Context, seen *Examination) error {
	ref := seen.Session.FileRef(x.Now())
	known, err := FileRecord{File: store.File{State: store.FileUnknown}}, ErrNotAsked
	if x.Records != nil {
		known, err = callWithin(ctx, x.deadlines().Redis, func(ctx context.Context) (FileRecord, error) { return x.Records.Known(ctx, ref) })
		seen.Finished = known.Finished
	}
	switch {
	case ref.FileID == "":
		seen.File.State = store.FileNone
	case known.File.State == store.FileCompleted:
		seen.File = known.File
	case x.Files == nil:
		seen.File, seen.FileErr = known.File, err
	default:
		seen.File, seen.FileErr = x.file(ctx, ref.FileID)
	}
	if x.Records == nil {
		return nil
	}
	return err
}

// otherFiles adds the files that are named besides the current one: by a key or by the
// site, or until a generation of ours replaced them. Of the last only those that are
// finished matter.
func (x *Examiner) otherFiles(ctx context.Context, seen *Examination) {
	if seen.File.State == store.FileCompleted {
		return
	}
	named := seen.Session.StrayFiles()
	if seen.Site != nil {
		named = append(named, seen.Site.FileID)
	}
	for _, id := range slices.Concat(named, seen.Repair.Replaced) {
		_, ok := store.FileUUID(id)
		known := slices.ContainsFunc(seen.Others, func(n NamedFile) bool { return strings.EqualFold(n.ID, id) })
		if !ok || known || strings.EqualFold(id, seen.Session.FileID()) {
			continue
		}
		file, _ := x.file(ctx, id) // without an answer its state is unknown
		if slices.Contains(named, id) || file.State == store.FileCompleted {
			seen.Others = append(seen.Others, NamedFile{id, file.State})
		}
	}
}

// file requests a file.
func (x *Examiner) file(ctx context.Context, id string) (store.File, error) {
	if x.Files == nil {
		return store.File{State: store.FileUnknown}, ErrNotAsked
	}
	file, err := callWithin(ctx, x.deadlines().All, func(ctx context.Context) (store.File, error) { return x.Files.File(ctx, id) })
	switch {
	case errors.Is(err, store.FileNotFound):
		return store.File{State: store.FileMissing}, err
	case err != nil:
		return store.File{State: store.FileUnknown}, err
	}
	return file, nil
}
