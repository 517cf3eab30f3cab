package main

// What the API says of one manifest: read as kubectl reads it, sent as kubectl sends it, decoded
// strictly, defaulted and validated by the server's own code. No server runs; the functions that
// its create handler calls are called in the same order.

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	structuraldefaulting "k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	schemaobjectmeta "k8s.io/apiextensions-apiserver/pkg/apiserver/schema/objectmeta"
	structuralpruning "k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apiextensions-apiserver/pkg/crdserverscheme"
	"k8s.io/apiextensions-apiserver/pkg/registry/customresource"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	genericapirequest "k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	"k8s.io/kubernetes/pkg/apis/networking"
	_ "k8s.io/kubernetes/pkg/apis/networking/install"
	"k8s.io/kubernetes/pkg/registry/networking/networkpolicy"
	"sigs.k8s.io/yaml"
)

const maxBody = 3 * 1024 * 1024

// kind is one kind that a server would serve: create answers nil if it takes the object.
type kind struct {
	namespaced bool
	create     func(body []byte, namespace string) error
}

// server knows the kinds by group, version and kind.
type server map[schema.GroupVersionKind]kind

// metadataOnly is what kubectl decodes beside the object, to see that its metadata is well typed.
type metadataOnly struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
}

// judge answers nil if `kubectl create --validate=strict` of the text would succeed.
func (s server) judge(text []byte) error {
	var raw runtime.RawExtension
	decoder := utilyaml.NewYAMLOrJSONDecoder(bytes.NewReader(text), 4096)
	if err := decoder.Decode(&raw); err != nil {
		return fmt.Errorf("read: %w", err)
	}
	var more runtime.RawExtension
	if err := decoder.Decode(&more); !errors.Is(err, io.EOF) {
		return fmt.Errorf("read: more than one document or broken: %v", err)
	}
	object, gvk, err := unstructured.UnstructuredJSONScheme.Decode(raw.Raw, nil, nil)
	if err != nil {
		return fmt.Errorf("read: %w", err)
	}
	if err := utiljson.Unmarshal(raw.Raw, &metadataOnly{}); err != nil {
		return fmt.Errorf("read: %w", err)
	}
	served, known := s[*gvk]
	if !known {
		return fmt.Errorf("no matches for kind %q in version %q", gvk.Kind, gvk.GroupVersion())
	}
	accessor, err := meta.Accessor(object)
	if err != nil {
		return fmt.Errorf("read: %w", err)
	}
	namespace := ""
	if served.namespaced {
		if accessor.GetNamespace() == "" {
			accessor.SetNamespace(metav1.NamespaceDefault)
		}
		namespace = accessor.GetNamespace()
	}
	var body bytes.Buffer
	if err := unstructured.UnstructuredJSONScheme.Encode(object, &body); err != nil {
		return fmt.Errorf("send: %w", err)
	}
	if body.Len() > maxBody {
		return errors.New("send: too large")
	}
	return served.create(body.Bytes(), namespace)
}

// newServer serves NetworkPolicy and what the CustomResourceDefinitions in the files define. Of
// two files that define the same version of the same kind the last one holds.
func newServer(definitions []string) (server, error) {
	s := server{}
	s[schema.GroupVersionKind{Group: networking.GroupName, Version: "v1", Kind: "NetworkPolicy"}] =
		kind{namespaced: true, create: createNetworkPolicy}
	for _, file := range definitions {
		if err := s.define(file); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
	}
	return s, nil
}

func strictJSON(codecs serializer.CodecFactory) runtime.Serializer {
	for _, info := range codecs.SupportedMediaTypes() {
		if info.MediaType == runtime.ContentTypeJSON {
			return info.StrictSerializer
		}
	}
	panic("the scheme has no JSON")
}

func createContext(gvk schema.GroupVersionKind, resource, namespace string) context.Context {
	ctx := genericapirequest.WithNamespace(context.Background(), namespace)
	return genericapirequest.WithRequestInfo(ctx, &genericapirequest.RequestInfo{
		IsResourceRequest: true,
		Verb:              "create",
		APIGroup:          gvk.Group,
		APIVersion:        gvk.Version,
		Resource:          resource,
		Namespace:         namespace,
	})
}

func createNetworkPolicy(body []byte, namespace string) error {
	gvk := schema.GroupVersionKind{Group: networking.GroupName, Version: "v1", Kind: "NetworkPolicy"}
	decoder := legacyscheme.Codecs.DecoderToVersion(strictJSON(legacyscheme.Codecs),
		schema.GroupVersion{Group: networking.GroupName, Version: runtime.APIVersionInternal})
	object, _, err := decoder.Decode(body, &gvk, &networking.NetworkPolicy{})
	if err != nil {
		return fmt.Errorf("decode: %w", err)
	}
	ctx := createContext(gvk, "networkpolicies", namespace)
	return create(ctx, networkpolicy.Strategy, object, namespace)
}

// create does what the create handler and the store do between decoding and etcd.
func create(
	ctx context.Context,
	strategy rest.RESTCreateStrategy,
	object runtime.Object,
	namespace string,
) error {
	accessor, err := meta.Accessor(object)
	if err != nil {
		return err
	}
	rest.WipeObjectMetaSystemFields(accessor)
	if err := rest.EnsureObjectNamespaceMatchesRequestNamespace(namespace, accessor); err != nil {
		return err
	}
	rest.FillObjectMetaSystemFields(accessor)
	if accessor.GetGenerateName() != "" && accessor.GetName() == "" {
		accessor.SetName(strategy.GenerateName(accessor.GetGenerateName()))
	}
	return rest.BeforeCreate(strategy, ctx, object)
}

// define serves every served version of a CustomResourceDefinition.
func (s server) define(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	definition := &apiextensionsv1.CustomResourceDefinition{}
	if err := yaml.UnmarshalStrict(text, definition); err != nil {
		return err
	}
	apiextensionsv1.SetDefaults_CustomResourceDefinition(definition)
	apiextensionsv1.SetDefaults_CustomResourceDefinitionSpec(&definition.Spec)
	for _, version := range definition.Spec.Versions {
		if !version.Served {
			continue
		}
		served, err := newCustom(definition, version)
		if err != nil {
			return err
		}
		s[served.gvk] = kind{
			namespaced: definition.Spec.Scope == apiextensionsv1.NamespaceScoped,
			create:     served.create,
		}
	}
	return nil
}

// custom is one version of one custom kind.
type custom struct {
	gvk      schema.GroupVersionKind
	resource string
	schema   *structuralschema.Structural
	strategy rest.RESTCreateStrategy
}

func newCustom(
	definition *apiextensionsv1.CustomResourceDefinition,
	version apiextensionsv1.CustomResourceDefinitionVersion,
) (*custom, error) {
	internal := &apiextensions.CustomResourceValidation{}
	if err := apiextensionsv1.Convert_v1_CustomResourceValidation_To_apiextensions_CustomResourceValidation(
		version.Schema, internal, nil); err != nil {
		return nil, err
	}
	structural, err := structuralschema.NewStructural(internal.OpenAPIV3Schema)
	if err != nil {
		return nil, err
	}
	whole, _, err := validation.NewSchemaValidator(internal.OpenAPIV3Schema)
	if err != nil {
		return nil, err
	}
	properties := internal.OpenAPIV3Schema.Properties["status"]
	status, _, err := validation.NewSchemaValidator(&properties)
	if err != nil {
		return nil, err
	}
	gvk := schema.GroupVersionKind{
		Group:   definition.Spec.Group,
		Version: version.Name,
		Kind:    definition.Spec.Names.Kind,
	}
	strategy := customresource.NewStrategy(crdserverscheme.NewUnstructuredObjectTyper(),
		definition.Spec.Scope == apiextensionsv1.NamespaceScoped, gvk, whole, status, structural,
		&apiextensions.CustomResourceSubresourceStatus{}, nil, nil)
	return &custom{gvk, definition.Spec.Names.Plural, structural, strategy}, nil
}

func (c *custom) create(body []byte, namespace string) error {
	object, err := c.decode(body)
	if err != nil {
		return fmt.Errorf("decode: %w", err)
	}
	structuraldefaulting.Default(object.Object, c.schema)
	return create(createContext(c.gvk, c.resource, namespace), c.strategy, object, namespace)
}

// decode prunes and coerces as the server's decoder of custom resources does, and makes an error
// of every field that was pruned, as it does if it is asked to be strict.
func (c *custom) decode(body []byte) (*unstructured.Unstructured, error) {
	object := &unstructured.Unstructured{}
	if err := utiljson.Unmarshal(body, &object.Object); err != nil {
		return nil, err
	}
	options := schemaobjectmeta.ObjectMetaOptions{ReturnUnknownFieldPaths: true}
	metadata, found, unknown, err := schemaobjectmeta.GetObjectMetaWithOptions(object.Object, options)
	if err != nil {
		return nil, err
	}
	tracked := structuralschema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true}
	unknown = append(unknown,
		structuralpruning.PruneWithOptions(object.Object, c.schema, true, tracked)...)
	structuraldefaulting.PruneNonNullableNullsWithoutDefaults(object.Object, c.schema)
	coerce := schemaobjectmeta.CoerceOptions{ReturnUnknownFieldPaths: true}
	fieldError, more := schemaobjectmeta.CoerceWithOptions(nil, object.Object, c.schema, false, coerce)
	if fieldError != nil {
		return nil, fieldError
	}
	unknown = append(unknown, more...)
	object.SetKind(c.gvk.Kind)
	object.SetAPIVersion(c.gvk.GroupVersion().String())
	if found {
		if err := schemaobjectmeta.SetObjectMeta(object.Object, metadata); err != nil {
			return nil, err
		}
	}
	if len(unknown) > 0 {
		list, _ := json.Marshal(unknown)
		return nil, fmt.Errorf("unknown fields %s", list)
	}
	return object, nil
}
