/* SPDX-License-Identifier: Apache-2.0 */
/* A certificate authority for tests, by libcrypto. */
#include "tests/fakes/fake_tls.h"

#include <assert.h>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#define DAY_S (24L * 3600)

struct fake_ca {
	EVP_PKEY *key;
	X509 *certificate;
	char *pem;
};

static char *take_bio(BIO *bio)
{
	char *bytes;
	long size = BIO_get_mem_data(bio, &bytes);
	char *text = xcalloc((size_t)size + 1, 1);

	memcpy(text, bytes, (size_t)size);
	BIO_free(bio);
	return text;
}

static char *certificate_pem(X509 *certificate)
{
	BIO *bio = BIO_new(BIO_s_mem());

	PEM_write_bio_X509(bio, certificate);
	return take_bio(bio);
}

static char *key_pem(EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_mem());

	PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
	return take_bio(bio);
}

static void add_extension(X509 *certificate, int nid, const char *value)
{
	X509V3_CTX context;
	X509_EXTENSION *extension;

	X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	assert(extension);
	X509_add_ext(certificate, extension, -1);
	X509_EXTENSION_free(extension);
}

static X509 *certificate_new(EVP_PKEY *key, const char *name, long serial, long valid_s)
{
	X509 *certificate = X509_new();

	X509_set_version(certificate, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial);
	X509_gmtime_adj(X509_getm_notBefore(certificate), -DAY_S);
	X509_gmtime_adj(X509_getm_notAfter(certificate), valid_s);
	X509_set_pubkey(certificate, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
	                           (const unsigned char *)name, -1, -1, 0);
	return certificate;
}

struct fake_ca *fake_ca_new(void)
{
	struct fake_ca *ca = xcalloc(1, sizeof(*ca));

	ca->key = EVP_EC_gen("P-256");
	ca->certificate = certificate_new(ca->key, "stepop test authority", 1, DAY_S);
	X509_set_issuer_name(ca->certificate, X509_get_subject_name(ca->certificate));
	add_extension(ca->certificate, NID_basic_constraints, "critical,CA:TRUE");
	add_extension(ca->certificate, NID_key_usage, "critical,keyCertSign");
	X509_sign(ca->certificate, ca->key, EVP_sha256());
	ca->pem = certificate_pem(ca->certificate);
	return ca;
}

void fake_ca_free(struct fake_ca *ca)
{
	if (!ca)
		return;
	X509_free(ca->certificate);
	EVP_PKEY_free(ca->key);
	free(ca->pem);
	free(ca);
}

const char *fake_ca_pem(const struct fake_ca *ca)
{
	return ca->pem;
}

struct fake_certificate fake_ca_issue(const struct fake_ca *ca, const char *names, long valid_s)
{
	struct fake_certificate issued;
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = certificate_new(key, "stepop test", 2, valid_s);

	X509_set_issuer_name(certificate, X509_get_subject_name(ca->certificate));
	add_extension(certificate, NID_subject_alt_name, names);
	X509_sign(certificate, ca->key, EVP_sha256());
	issued.certificate_pem = certificate_pem(certificate);
	issued.key_pem = key_pem(key);
	X509_free(certificate);
	EVP_PKEY_free(key);
	return issued;
}

void fake_certificate_release(struct fake_certificate *certificate)
{
	free(certificate->certificate_pem);
	free(certificate->key_pem);
	*certificate = (struct fake_certificate){ 0 };
}
