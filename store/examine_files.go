package store

import (
	"context"
	"errors"
	"slices"
	"strings"
)

// files fills in what is known of the session's files. One that was seen finished
// is not asked for again; where nobody can be asked it is as it was seen last. The
// error is one of the bot's own records.
func (x *Examiner) files(ctx context.Context, seen *Examination) error {
	ref := seen.Session.FileRef(x.Now())
	known, err := FileRecord{File: File{State: FileUnknown}}, ErrNotAsked
	if x.Records != nil {
		known, err = ask(ctx, x.deadlines().Redis, func(ctx context.Context) (FileRecord, error) { return x.Records.Known(ctx, ref) })
		seen.Finished = known.Finished
	}
	switch {
	case ref.FileID == "":
		seen.File.State = FileNone
	case known.File.State == FileCompleted:
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

// otherFiles asks for the files that are named beside the one that counts: by a key
// or by the site, or until a generation of ours replaced them. Of the last only
// those that are finished matter.
func (x *Examiner) otherFiles(ctx context.Context, seen *Examination) {
	if seen.File.State == FileCompleted {
		return
	}
	named := seen.Session.StrayFiles()
	if seen.Site != nil {
		named = append(named, seen.Site.FileID)
	}
	for _, id := range slices.Concat(named, seen.Repair.Replaced) {
		_, ok := FileUUID(id)
		known := slices.ContainsFunc(seen.Others, func(n Named) bool { return strings.EqualFold(n.ID, id) })
		if !ok || known || strings.EqualFold(id, seen.Session.FileID()) {
			continue
		}
		file, _ := x.file(ctx, id) // without an answer its state is unknown
		if slices.Contains(named, id) || file.State == FileCompleted {
			seen.Others = append(seen.Others, Named{id, file.State})
		}
	}
}

// file asks for a file.
func (x *Examiner) file(ctx context.Context, id string) (File, error) {
	if x.Files == nil {
		return File{State: FileUnknown}, ErrNotAsked
	}
	file, err := ask(ctx, x.deadlines().All, func(ctx context.Context) (File, error) { return x.Files.File(ctx, id) })
	switch {
	case errors.Is(err, FileNotFound):
		return File{State: FileMissing}, err
	case err != nil:
		return File{State: FileUnknown}, err
	}
	return file, nil
}
